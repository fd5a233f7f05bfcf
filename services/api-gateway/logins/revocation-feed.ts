import { isUnavailable } from "../../../broker/failure.ts";
import type { Log } from "../../../broker/log.ts";
import { limits } from "../../../config/limits.ts";
import { BackgroundLoop } from "../../../mixins/background-loop.ts";
import type { RevocationsPage } from "../../user/user.contract.ts";
import type { RevokedTokens } from "./revoked-tokens.ts";

const { revocationPollMs, revocationOverlapMs, revocationStaleMs, revocationSweepEveryMs, revocationWriteMs } =
  limits.user;
const dropEveryMs = 60_000;

interface Options {
  readonly revoked: RevokedTokens;
  /** A page of the user service's revocations; rejects where it does not answer in time. */
  readonly page: (place: { since: number; afterId: string }) => Promise<RevocationsPage>;
  /** Called after each complete read. */
  readonly read: () => void;
  readonly log: Log;
}

/**
 * Keeps a node's copy of the revocations up to date: all of them at first, page by page, then every
 * `limits.user.revocationPollMs` those since the last read. The position is a time of the database, not an id, since
 * transactions do not commit in the order of their ids; each read goes back by `limits.user.revocationOverlapMs`, and
 * no revocation takes longer than that to become visible (services/user/sessions.ts).
 *
 * The database's clock may step, as by a failover. So how far to go back follows from this node's monotonic clock alone:
 * a read passes over rows whose times the step moved before its place, and the next one begins where those are, by the
 * new clock. After a longer time without reads everything is read, at once; and about every
 * `limits.user.revocationSweepEveryMs` besides, page by page between the polls, which heals what is left (decision 0050).
 */
export class RevocationFeed {
  private readonly options: Options;
  private readonly loop: BackgroundLoop;
  /** Where the next read begins: the database's time, ms. 0: everything. */
  private since = 0;
  /** When the last complete read began, by this node's monotonic clock. */
  private readAt = Number.NEGATIVE_INFINITY;
  /** When it ended. A read of everything may take long, and needs no other one after it. */
  private endedAt = Number.NEGATIVE_INFINITY;
  /** The place of the sweep under way, and when the next one begins. */
  private sweep: RevocationsPage["next"] = null;
  private sweepAt = performance.now() + revocationSweepEveryMs;
  private failing = false;
  private droppedAt = performance.now();

  constructor(options: Options) {
    this.options = options;
    this.loop = new BackgroundLoop({
      name: "revocations",
      round: () => this.round(),
      idleMs: revocationPollMs,
      errorBackoffMs: revocationPollMs,
      log: options.log,
    });
  }

  /** Whether the copy has all revocations that are older than `limits.user.revocationStaleMs`. */
  get isCurrent(): boolean {
    return performance.now() - this.readAt <= revocationStaleMs;
  }

  /** For the health check. Rejects where the copy is too old to let anybody in. */
  async requireCurrent(): Promise<void> {
    if (this.isCurrent) return;
    const age = Number.isFinite(this.readAt)
      ? `${Math.round((performance.now() - this.readAt) / 1_000)} s old`
      : "not read yet";
    throw new Error(`the copy of the revoked tokens is ${age}: logged-in requests answer 503`);
  }

  /** Reads at once where the copy is not current: a node of the user service may have appeared. */
  wake(): void {
    if (!this.isCurrent) this.loop.wake();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async round(): Promise<boolean> {
    const { log } = this.options;
    try {
      await this.read();
      await this.sweepOn(performance.now());
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      if (!this.failing)
        log.warn(
          { err: error },
          "revoked tokens cannot be read: it is tried again, and after 10 s logged-in requests are answered 503",
        );
      this.failing = true;
      return false;
    }
    if (this.failing) log.info({}, "revoked tokens can be read again");
    this.failing = false;
    return false;
  }

  private async read(): Promise<void> {
    const { revoked, page } = this.options;
    const startedAt = performance.now();
    const all = startedAt - this.endedAt > revocationOverlapMs - revocationWriteMs;
    let next: number | undefined;
    let lastPageAt = 0;
    for (let place: RevocationsPage["next"] = { since: all ? 0 : this.since, afterId: "0" }; place; ) {
      const read: RevocationsPage = await page(place);
      lastPageAt = read.now;
      // What this read may pass over is younger than the one before it, and than a write that it did not see.
      const unsure = all ? 0 : performance.now() - this.readAt + revocationWriteMs;
      next ??= Math.max(0, Math.floor(read.now - Math.max(revocationOverlapMs, unsure)));
      for (const revocation of read.list) revoked.add(revocation);
      place = read.next;
    }
    this.since = next ?? 0;
    this.readAt = startedAt;
    this.endedAt = performance.now();
    if (startedAt - this.droppedAt >= dropEveryMs) {
      this.droppedAt = startedAt;
      // By the earlier clock: if one of them jumps ahead, dropping by it would make revoked tokens valid again.
      revoked.dropExpired(Math.min(Date.now(), lastPageAt));
    }
    this.options.read();
  }

  /** Reads the next page of the sweep, or begins one that is due. The reads of the polls stay as short as they are. */
  private async sweepOn(now: number): Promise<void> {
    if (!this.sweep && now < this.sweepAt) return;
    const { revoked, page } = this.options;
    const read = await page(this.sweep ?? { since: 0, afterId: "0" });
    for (const revocation of read.list) revoked.add(revocation);
    this.sweep = read.next;
    if (!read.next) this.sweepAt = now + revocationSweepEveryMs;
  }
}
