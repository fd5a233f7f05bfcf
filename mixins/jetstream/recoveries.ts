import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../background-loop.ts";
import { type StreamDefinition, streamNames } from "./definitions.ts";
import type { Positions, StreamGeneration } from "./positions.ts";

/** Puts back into a stream that was made anew what the service's books still know of the one before. */
export interface Recovery {
  /** Unique within the service; stands in its database. */
  readonly name: string;
  readonly stream: StreamDefinition;
  /**
   * Gets the streams as they are there now. Runs at each new creation of the stream, the first one included, on any node that sees it and on several at once; so
   * it must be idempotent. Where it rejects it runs again soon.
   */
  run(streams: readonly StreamGeneration[]): Promise<void>;
  /** By default it runs a second time seconds later, for what was under way to the former stream at the first. */
  readonly once?: boolean;
}

interface RecoveryLog {
  warn(about: object, text: string): void;
}

/** Runs recoveries, and keeps in the database for which streams they are done. */
export class Recoveries {
  private readonly positions: Positions;
  private readonly recoveries: Recovery[] = [];
  private readonly streams = new Map<string, StreamGeneration>();
  /** When a recovery ran first, by recovery and stream generation; `true` once it is done. */
  private readonly ran = new Map<string, number | true>();
  private readonly loop: BackgroundLoop;

  constructor(positions: Positions, log: RecoveryLog) {
    this.positions = positions;
    this.loop = new BackgroundLoop({
      name: "stream recovery",
      idleMs: limits.jetstream.lookEveryMs,
      errorBackoffMs: limits.jetstream.lookEveryMs,
      log,
      round: () => this.round(),
    });
  }

  add(recovery: Recovery): void {
    this.recoveries.push(recovery);
    this.loop.wake();
  }

  /** Tells which stream is there now. */
  seen(stream: StreamGeneration): void {
    if (this.streams.get(stream.stream)?.created === stream.created) return;
    this.streams.set(stream.stream, stream);
    this.loop.wake();
  }

  /** Messages of a stream that is there are known to be lost: its recoveries run once more. */
  again(stream: string): void {
    const seen = this.streams.get(stream);
    if (!seen) return;
    for (const recovery of this.recoveries) this.ran.set(keyOf(recovery, seen), 0);
    this.loop.wake();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  private async round(): Promise<boolean> {
    const failures: unknown[] = [];
    for (const recovery of this.recoveries) await this.recover(recovery).catch((error) => failures.push(error));
    if (failures.length > 0) throw failures[0];
    return false;
  }

  private async recover(recovery: Recovery): Promise<void> {
    const due: StreamGeneration[] = [];
    for (const name of streamNames(recovery.stream)) {
      const stream = this.streams.get(name);
      if (stream && (await this.isDue(recovery, stream))) due.push(stream);
    }
    if (due.length === 0) return;
    await recovery.run(due);
    for (const stream of due) await this.noteRun(recovery, stream);
  }

  private async isDue(recovery: Recovery, stream: StreamGeneration): Promise<boolean> {
    const key = keyOf(recovery, stream);
    const ran = this.ran.get(key);
    if (ran === true) return false;
    if (ran !== undefined) return Date.now() - ran >= limits.jetstream.recoverAgainMs;
    if ((await this.positions.find(readerOf(recovery), stream)) === undefined) return true;
    this.ran.set(key, true);
    return false;
  }

  private async noteRun(recovery: Recovery, stream: StreamGeneration): Promise<void> {
    const key = keyOf(recovery, stream);
    // One that is asked for `again` runs once.
    if (!recovery.once && !this.ran.has(key)) {
      this.ran.set(key, Date.now());
      return;
    }
    await this.positions.advance(readerOf(recovery), stream, 0);
    this.ran.set(key, true);
  }
}

const readerOf = ({ name }: Recovery) => `recovery ${name}`;
const keyOf = ({ name }: Recovery, { stream, created }: StreamGeneration) => `${name} ${stream} ${created}`;
