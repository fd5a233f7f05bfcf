import { isUnavailable } from "../broker/failure.ts";
import type { Log } from "../broker/log.ts";
import { limits } from "../config/limits.ts";
import { BackgroundLoop } from "../mixins/background-loop.ts";

const { feedPollMs, feedOverlapMs, feedStaleMs, feedSweepEveryMs, feedWriteMs } = limits.user;
const dropEveryMs = 60_000;

/** A place in the rows of a feed by the time at which they were written, ms of the database's clock; 0: everything. */
export interface FeedPlace {
  readonly since: number;
  /** Behind this row of the place; "0" at its beginning. */
  readonly afterId: string;
}

export interface FeedPage<Row> {
  list: Row[];
  /** The database's time before it was read, ms since 1970. */
  now: number;
  /** Where the next page begins; `null` where there is none. */
  next: FeedPlace | null;
}

interface Options<Row> {
  /** What the rows are, for logs and health. */
  readonly what: string;
  /** What follows from a copy that is not current, for the log. */
  readonly whileAway: string;
  /** A page of the service that has the rows; rejects where it does not answer in time. */
  readonly page: (place: FeedPlace) => Promise<FeedPage<Row>>;
  /** Takes a row into the copy. Rows come in any order and many times. */
  readonly add: (row: Row) => void;
  /** Around each read of everything, whether it takes one poll or many. What it does not bring is not there any more. */
  readonly all?: { begin(): void; end(): void };
  readonly dropExpired: (nowMs: number) => void;
  /** Called after each complete read. */
  readonly read: () => void;
  readonly log: Log;
}

/**
 * Keeps a node's copy of rows up to date that another service writes, and that must not be missed: all of them at first,
 * page by page, then every `limits.user.feedPollMs` those since the last read. The position is a time of the database,
 * not an id, since transactions do not commit in the order of their ids; each read goes back by
 * `limits.user.feedOverlapMs`, and no row takes longer than that to become visible (services/user/feed-writes.ts).
 *
 * The database's clock may step, as by a failover. So how far to go back follows from this node's monotonic clock alone:
 * a read passes over rows whose times the step moved before its place, and the next one begins where those are, by the
 * new clock. After a longer time without reads everything is read, at once; and about every
 * `limits.user.feedSweepEveryMs` besides, page by page between the polls, which heals what is left (decision 0050).
 */
export class RowFeed<Row> {
  private readonly options: Options<Row>;
  private readonly loop: BackgroundLoop;
  /** Where the next read begins: the database's time, ms. 0: everything. */
  private since = 0;
  /** When the last complete read began, by this node's monotonic clock. */
  private readAt = Number.NEGATIVE_INFINITY;
  /** When it ended. A read of everything may take long, and needs no other one after it. */
  private endedAt = Number.NEGATIVE_INFINITY;
  /** The place of the sweep under way, and when the next one begins. */
  private sweep: FeedPlace | null = null;
  private sweepAt = performance.now() + feedSweepEveryMs;
  private failing = false;
  private droppedAt = performance.now();

  constructor(options: Options<Row>) {
    this.options = options;
    this.loop = new BackgroundLoop({
      name: options.what,
      round: () => this.round(),
      idleMs: feedPollMs,
      errorBackoffMs: feedPollMs,
      log: options.log,
    });
  }

  /** Whether the copy has all rows that are older than `limits.user.feedStaleMs`. */
  get isCurrent(): boolean {
    return performance.now() - this.readAt <= feedStaleMs;
  }

  /** Whether all rows were read once: the copy may be old, but it is one. */
  get hasBeenRead(): boolean {
    return Number.isFinite(this.readAt);
  }

  /** How old the copy is, for people. */
  get age(): string {
    return this.hasBeenRead ? `${Math.round((performance.now() - this.readAt) / 1_000)} s old` : "not read yet";
  }

  /** Reads at once where the copy is not current: a node of the service may have appeared. */
  wake(): void {
    if (!this.isCurrent) this.loop.wake();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async round(): Promise<boolean> {
    const { log, what, whileAway } = this.options;
    try {
      await this.read();
      await this.sweepOn(performance.now());
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      if (!this.failing) log.warn({ err: error }, `${what} cannot be read: it is tried again; ${whileAway}`);
      this.failing = true;
      return false;
    }
    if (this.failing) log.info({}, `${what} can be read again`);
    this.failing = false;
    return false;
  }

  private async read(): Promise<void> {
    const { add, page, all: everything } = this.options;
    const startedAt = performance.now();
    const all = startedAt - this.endedAt > feedOverlapMs - feedWriteMs;
    let next: number | undefined;
    let lastPageAt = 0;
    if (all) {
      // A sweep under way would end with what it alone has seen.
      this.sweep = null;
      everything?.begin();
    }
    for (let place: FeedPlace | null = { since: all ? 0 : this.since, afterId: "0" }; place; ) {
      const read: FeedPage<Row> = await page(place);
      lastPageAt = read.now;
      // What this read may pass over is younger than the one before it, and than a write that it did not see.
      const unsure = all ? 0 : performance.now() - this.readAt + feedWriteMs;
      next ??= Math.max(0, Math.floor(read.now - Math.max(feedOverlapMs, unsure)));
      for (const row of read.list) add(row);
      place = read.next;
    }
    if (all) everything?.end();
    this.since = next ?? 0;
    this.readAt = startedAt;
    this.endedAt = performance.now();
    if (startedAt - this.droppedAt >= dropEveryMs) {
      this.droppedAt = startedAt;
      // By the earlier clock: if one of them jumps ahead, dropping by it would make revoked tokens valid again.
      this.options.dropExpired(Math.min(Date.now(), lastPageAt));
    }
    this.options.read();
  }

  /** Reads the next page of the sweep, or begins one that is due. The reads of the polls stay as short as they are. */
  private async sweepOn(now: number): Promise<void> {
    if (!this.sweep && now < this.sweepAt) return;
    const { add, page, all } = this.options;
    if (!this.sweep) all?.begin();
    const read = await page(this.sweep ?? { since: 0, afterId: "0" });
    for (const row of read.list) add(row);
    this.sweep = read.next;
    if (read.next) return;
    all?.end();
    this.sweepAt = now + feedSweepEveryMs;
  }
}
