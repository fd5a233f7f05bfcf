import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../background-loop.ts";
import { type StreamDefinition, streamNames } from "./definitions.ts";
import type { Positions, StreamGeneration } from "./positions.ts";

/** A stream that a recovery runs for. */
export interface RecoveredStream extends StreamGeneration {
  /** This recovery never ran for an earlier stream of the name, so nothing was lost with one. */
  readonly isFirst: boolean;
}

/** Restores messages of a lost stream, from the service's books, into the stream that was made again. */
export interface Recovery {
  /** Unique within the service; stored in its database. */
  readonly name: string;
  readonly stream: StreamDefinition;
  /**
   * Gets the streams as they are there now. Runs at each new creation of the stream, the first one included, and at each
   * loss within it, which `again` then names; on any node that sees it and on several at once, so it must be idempotent.
   * Where it rejects it runs again soon. Once `signal` is aborted, since the service stops, it may reject: the next start
   * finds it undone.
   */
  run(streams: readonly RecoveredStream[], signal: AbortSignal): Promise<void>;
  /**
   * Of a recovery that nodes do one at a time: runs `work` on this node, `false` where another node is at it. What is due
   * is looked up again in `work`.
   */
  alone?(work: (signal: AbortSignal) => Promise<void>, stop: AbortSignal): Promise<boolean>;
  /** By default it runs a second time seconds later, for what was under way to the former stream at the first. */
  readonly once?: boolean;
}

/** Runs recoveries, each by itself, and keeps in the database for which streams they are done. */
export class Recoveries {
  private readonly positions: Positions;
  private readonly log: Log;
  /** One of each recovery, so that none waits for another. */
  private readonly loops: BackgroundLoop[] = [];
  private readonly stopping = new AbortController();
  private readonly streams = new Map<string, StreamGeneration>();
  /** When a recovery first ran, by recovery and stream generation; `true` once it is done. */
  private readonly ran = new Map<string, number | true>();
  /** How often `again` was called for a stream, and how many of these calls a recovery has handled. */
  private readonly requests = new Map<string, number>();
  private readonly answered = new Map<string, number>();

  constructor(positions: Positions, log: Log) {
    this.positions = positions;
    this.log = log;
  }

  add(recovery: Recovery): void {
    const loop = new BackgroundLoop({
      name: `stream recovery ${recovery.name}`,
      idleMs: limits.jetstream.lookEveryMs,
      errorBackoffMs: limits.jetstream.lookEveryMs,
      log: this.log,
      round: () => this.recover(recovery).then(() => false),
    });
    this.loops.push(loop);
  }

  /** Sets the present stream. */
  seen(stream: StreamGeneration): void {
    const known = this.streams.get(stream.stream);
    if (known && createdOf(known) === createdOf(stream)) return;
    this.streams.set(stream.stream, stream);
    this.wake();
  }

  /** An existing stream has lost messages and has no mark for it: its recoveries run once more. */
  again(stream: StreamGeneration): void {
    this.streams.set(stream.stream, stream);
    this.requests.set(stream.stream, this.asked(stream) + 1);
    this.wake();
  }

  private wake(): void {
    for (const loop of this.loops) loop.wake();
  }

  private asked({ stream }: StreamGeneration): number {
    return this.requests.get(stream) ?? 0;
  }

  async stop(): Promise<void> {
    const stopped = this.loops.map((loop) => loop.stop());
    this.stopping.abort();
    await Promise.all(stopped);
  }

  private async recover(recovery: Recovery): Promise<void> {
    const { signal } = this.stopping;
    if (!recovery.alone) await this.runDue(recovery, await this.dueOf(recovery), signal);
    else if ((await this.dueOf(recovery)).length > 0)
      await recovery.alone(async (own) => this.runDue(recovery, await this.dueOf(recovery), own), signal);
  }

  private async dueOf(recovery: Recovery): Promise<StreamGeneration[]> {
    const due: StreamGeneration[] = [];
    for (const name of streamNames(recovery.stream)) {
      const stream = this.streams.get(name);
      if (stream && (await this.isDue(recovery, stream))) due.push(stream);
    }
    return due;
  }

  private async runDue(recovery: Recovery, due: readonly StreamGeneration[], signal: AbortSignal): Promise<void> {
    if (due.length === 0) return;
    // The requests up to now: the run may miss what is requested while it runs.
    const asked = due.map((stream) => this.asked(stream));
    await recovery.run(await Promise.all(due.map((stream) => this.withHistory(recovery, stream))), signal);
    for (const [at, stream] of due.entries()) {
      this.answered.set(keyOf(recovery, stream), asked[at] as number);
      await this.noteRun(recovery, stream);
    }
  }

  private async withHistory(recovery: Recovery, stream: StreamGeneration): Promise<RecoveredStream> {
    const former = await this.positions.lastTimeInFormer(readerOf(recovery), rowOf(stream));
    return { ...stream, isFirst: former === undefined && !stream.again };
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
