import { isUnavailable } from "../../../broker/failure.ts";
import type { Log } from "../../../broker/log.ts";
import { limits } from "../../../config/limits.ts";
import { BackgroundLoop } from "../../../mixins/background-loop.ts";
import type { RevocationsPage } from "../../user/user.contract.ts";
import type { RevokedTokens } from "./revoked-tokens.ts";

const { revocationPollMs, revocationOverlapMs, revocationStaleMs } = limits.user;
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
 * transactions do not commit in the order of their ids. Each read begins `limits.user.revocationOverlapMs` before the
 * last one, and no revocation takes longer than that to be committed (services/user/sessions.ts). Where the database's
 * time steps back, as after a failover, everything is read again.
 */
export class RevocationFeed {
  private readonly options: Options;
  private readonly loop: BackgroundLoop;
  /** Where the next read begins: the database's time, ms. 0: everything. */
  private since = 0;
  /** When the last complete read began, by this node's monotonic clock. */
  private readAt = Number.NEGATIVE_INFINITY;
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
    const from = this.since;
    let now: number | undefined;
    let lastPageAt = 0;
    for (let place: RevocationsPage["next"] = { since: from, afterId: "0" }; place; ) {
      const read: RevocationsPage = await page(place);
      now ??= read.now;
      lastPageAt = read.now;
      for (const revocation of read.list) revoked.add(revocation);
      place = read.next;
    }
    const next = Math.max(0, (now ?? 0) - revocationOverlapMs);
    this.since = next < from ? 0 : next;
    if (next >= from) this.readAt = startedAt;
    if (startedAt - this.droppedAt >= dropEveryMs) {
      this.droppedAt = startedAt;
      // By the earlier clock: if one of them jumps ahead, dropping by it would make revoked tokens valid again.
      revoked.dropExpired(Math.min(Date.now(), lastPageAt));
    }
    this.options.read();
  }
}
