import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../background-loop.ts";
import { type StreamDefinition, streamNames } from "./definitions.ts";
import type { Positions, StreamGeneration } from "./positions.ts";

/** Restores messages of a lost stream, from the service's books, into the stream that was made again. */
export interface Recovery {
  /** Unique within the service; stored in its database. */
  readonly name: string;
  readonly stream: StreamDefinition;
  /**
   * Gets the present streams. Runs for each creation of the stream, the first one included, and for each loss within
   * it, which `again` names. Runs on any node that detects it and on several at once, so it must be idempotent. If it
   * rejects, it runs again soon.
   */
  run(streams: readonly StreamGeneration[]): Promise<void>;
  /**
   * By default it runs again seconds later, for messages that were on their way to the lost stream at the first run.
   */
  readonly once?: boolean;
}

/** Runs recoveries, and stores in the database for which streams they are done. */
export class Recoveries {
  private readonly positions: Positions;
  private readonly recoveries: Recovery[] = [];
  private readonly streams = new Map<string, StreamGeneration>();
  /** When a recovery first ran, by recovery and stream generation; `true` once it is done. */
  private readonly ran = new Map<string, number | true>();
  /** How often `again` was called for a stream, and how many of these calls a recovery has handled. */
  private readonly requests = new Map<string, number>();
  private readonly answered = new Map<string, number>();
  private readonly loop: BackgroundLoop;

  constructor(positions: Positions, log: Log) {
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

  /** Sets the present stream. */
  seen(stream: StreamGeneration): void {
    const known = this.streams.get(stream.stream);
    if (known && createdOf(known) === createdOf(stream)) return;
    this.streams.set(stream.stream, stream);
    this.loop.wake();
  }

  /** An existing stream has lost messages and has no mark for it: its recoveries run once more. */
  again(stream: StreamGeneration): void {
    this.streams.set(stream.stream, stream);
    this.requests.set(stream.stream, this.asked(stream) + 1);
    this.loop.wake();
  }

  private asked({ stream }: StreamGeneration): number {
    return this.requests.get(stream) ?? 0;
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
    // The requests up to now: the run may miss what is requested while it runs.
    const asked = due.map((stream) => this.asked(stream));
    await recovery.run(due);
    for (const [at, stream] of due.entries()) {
      this.answered.set(keyOf(recovery, stream), asked[at] as number);
      await this.noteRun(recovery, stream);
    }
  }

  private async isDue(recovery: Recovery, stream: StreamGeneration): Promise<boolean> {
    const key = keyOf(recovery, stream);
    const ran = this.ran.get(key);
    if (this.asked(stream) > (this.answered.get(key) ?? 0)) return true;
    if (ran === true) return false;
    if (ran !== undefined) return Date.now() - ran >= limits.jetstream.recoverAgainMs;
    if ((await this.positions.find(readerOf(recovery), rowOf(stream))) === undefined) return true;
    this.ran.set(key, true);
    return false;
  }

  private async noteRun(recovery: Recovery, stream: StreamGeneration): Promise<void> {
    const key = keyOf(recovery, stream);
    const ran = this.ran.get(key);
    if (!recovery.once && ran === undefined) {
      this.ran.set(key, Date.now());
      return;
    }
    // The second run is still to come.
    if (typeof ran === "number" && Date.now() - ran < limits.jetstream.recoverAgainMs) return;
    await this.positions.advance(readerOf(recovery), rowOf(stream), 0);
    this.ran.set(key, true);
  }
}

const readerOf = ({ name }: Recovery) => `recovery ${name}`;
/** A loss within a stream is recovered like a new stream, under a row of its own. */
const createdOf = ({ created, again }: StreamGeneration) => (again ? `${created}~${again}` : created);
const rowOf = (stream: StreamGeneration) => ({ stream: stream.stream, created: createdOf(stream) });
const keyOf = ({ name }: Recovery, stream: StreamGeneration) => `${name} ${stream.stream} ${createdOf(stream)}`;
