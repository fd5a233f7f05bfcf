import { setTimeout as pause } from "node:timers/promises";
import type { Service } from "moleculer";
import { isUnavailable } from "../../broker/failure.ts";
import { nodesOffering } from "../../broker/service-nodes.ts";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { DatabaseLease } from "../../mixins/mysql/database-lease.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { call } from "../contracts.ts";
import { type Limits, limitsOf } from "../limits-of.ts";
import type { DatabaseClock } from "./database-clock.ts";
import type { GiftCounter } from "./gift-counter.ts";
import type { Job, JobName } from "./job-state.ts";
import { beginJob, endJob, findJob, lockJob, moveJob, noteTrouble } from "./jobs-store.ts";
import { type RecordsPage, recompute, stillNotCounted } from "./recomputation.ts";
import { databaseTimeMs, findState } from "./state-store.ts";
import { estimatedTotals } from "./totals-store.ts";

type Ranks = Service & MysqlState & { counter: GiftCounter; clock: DatabaseClock };

/** Ends the work of a job on this node: it stops, another node has the lease, or the job was begun anew. */
class JobLeft extends Error {}

/**
 * Carries out the rebuild and the verification that were asked for, on one node at a time. When that node dies another
 * one goes on: a rebuild where it was, a verification from its beginning.
 */
export class RankJobs {
  private readonly ranks: Ranks;
  private readonly bounds: Limits<typeof limits.rank>;
  private readonly lease: DatabaseLease;
  private readonly loop: BackgroundLoop;
  private readonly stopping = new AbortController();
  private leaseRenewedAt = Number.NEGATIVE_INFINITY;

  constructor(ranks: Ranks) {
    this.ranks = ranks;
    this.bounds = limitsOf(limits.rank, ranks);
    const { mysql, broker, logger } = ranks;
    this.lease = new DatabaseLease({ mysql, name: "jobs", holder: broker.nodeID, ms: this.bounds.jobLeaseMs });
    this.loop = new BackgroundLoop({
      name: "rebuild and verification of the ranks",
      idleMs: this.bounds.jobsEveryMs,
      errorBackoffMs: this.bounds.jobsEveryMs,
      log: logger,
      round: () => this.round(),
    });
  }

  /** A job was asked for. */
  wake(): void {
    this.loop.wake();
  }

  /** Resolves once the page in progress is handled and the lease is free. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop.stop();
    await this.lease.giveBack().catch((err: Error) => {
      this.ranks.logger.warn({ err }, "the lease of the ranks' jobs was not freed: it expires by itself");
    });
  }

  private async round(): Promise<boolean> {
    const { mysql } = this.ranks;
    const jobs = { rebuild: await findJob(mysql, "rebuild"), verify: await findJob(mysql, "verify") };
    const [name, job] = Object.entries(jobs).find(([, one]) => one?.state === "running") ?? [];
    // While a system starts, or the gift service is away, a job waits.
    if (!job || nodesOffering(this.ranks.broker, "gift").length === 0 || !(await this.lease.hold())) return false;
    this.leaseRenewedAt = performance.now();
    try {
      await (name === "rebuild" ? this.rebuild(job) : this.verify(job));
    } catch (error) {
      if (error instanceof JobLeft) return false;
      await noteTrouble(mysql, name as JobName, job.begun, String((error as Error)?.message));
      throw error;
    }
    return true;
  }

  /** Between two pages. @throws JobLeft where this node is to leave the job */
  private async goOn(name: JobName, { begun }: Job): Promise<void> {
    if (this.stopping.signal.aborted) throw new JobLeft();
    if (performance.now() - this.leaseRenewedAt < this.bounds.jobLeaseMs / 4) return;
    if (!(await this.lease.renew())) throw new JobLeft();
    this.leaseRenewedAt = performance.now();
    if ((await findJob(this.ranks.mysql, name))?.begun.getTime() !== begun.getTime()) throw new JobLeft();
  }

  private page(since: Date | null, cursor: string | null, until: string | undefined): Promise<RecordsPage> {
    const from = (since ?? new Date(0)).toISOString();
    const at = since === null ? (cursor ?? "0") : (cursor ?? undefined);
    return call(this.ranks.broker, "gift.settledSince", { since: from, cursor: at, until });
  }

  /** Counts the gift records page by page; the next page is read meanwhile. */
  private async rebuild(job: Job): Promise<void> {
    const { mysql, logger } = this.ranks;
    logger.info({ since: job.since, cursor: job.cursor }, "the ranks are rebuilt from the gift records");
    let page = await this.page(job.since, job.cursor, job.until ?? undefined);
    for (;;) {
      const { nextCursor, until } = page;
      const next = nextCursor === null ? undefined : this.page(job.since, nextCursor, until);
      // Where counting fails nobody awaits it.
      next?.catch(() => {});
      const counted = await this.count(page.gifts);
      const gifts = page.gifts.length;
      await moveJob(mysql, "rebuild", { begun: job.begun, cursor: nextCursor ?? until, until, gifts, counted });
      if (!next) break;
      await this.goOn("rebuild", job);
      page = await next;
    }
    await mysql.transaction(async (tx) => {
      const now = await lockJob(tx, "rebuild");
      if (now?.begun.getTime() !== job.begun.getTime()) return;
      if (now.againSince) await beginJob(tx, "rebuild", now.againSince);
      else await endJob(tx, "rebuild", job.begun, "done", null);
    });
    logger.info({ since: job.since }, "the ranks are rebuilt");
  }

  /** A gift that no board can hold is left out, so that the others are counted. */
  private async count(gifts: RecordsPage["gifts"]): Promise<number> {
    try {
      return await this.ranks.counter.count(gifts);
    } catch (err) {
      if (!(err instanceof RangeError)) throw err;
      this.ranks.logger.error({ err }, "a gift cannot be counted: the rebuild leaves it out");
      return 0;
    }
  }

  private async verify(job: Job): Promise<void> {
    const { mysql, logger } = this.ranks;
    try {
      const result = await this.compareAll(job);
      await mysql.transaction((tx) => endJob(tx, "verify", job.begun, "done", JSON.stringify(result)));
      const { compared, differences, shown } = result;
      if (differences === 0) logger.info({ compared }, "the ranks agree with the gift records");
      else
        logger.error(
          { compared, differences, shown: shown.slice(0, 5) },
          "the ranks differ from the gift records: npm run ranks -- rebuild --anew computes them again",
        );
    } catch (error) {
      if (error instanceof JobLeft || isUnavailable(error)) throw error;
      const why = String((error as Error)?.message);
      await mysql.transaction((tx) => endJob(tx, "verify", job.begun, "failed", why));
      logger.error({ err: error }, "the ranks could not be verified");
    }
  }

  private async compareAll(job: Job): Promise<{ compared: number; differences: number; shown: string[] }> {
    const { mysql, counter } = this.ranks;
    const most = this.bounds.verifiedEntries;
    const parts = Math.max(1, Math.ceil((await estimatedTotals(mysql)) / most));
    const { begun } = job;
    const { generation, ...recomputed } = await mysql.snapshot(async (db) => {
      const state = await findState(db);
      if (!state) throw new Error("t_rank_state has no row: it is written when a rank node starts");
      const ports = {
        ...{ db, generation: state.generation, calendar: counter.calendarOf(state.zone) },
        nowMs: await databaseTimeMs(db),
        page: (cursor: string, until: string | undefined) => this.page(null, cursor, until),
        read: async ({ gifts, nextCursor: cursor, until }: RecordsPage) => {
          await moveJob(mysql, "verify", { begun, cursor: cursor ?? until, until, gifts: gifts.length, counted: 0 });
          await this.goOn("verify", job);
        },
      };
      return { generation: state.generation, ...(await recompute(ports, { parts, most })) };
    });
    const notCounted = await this.stillNotCounted(generation, recomputed.notCounted);
    const { compared, differences, shown } = recomputed;
    const lines = notCounted.map((id) => `the gift of record ${id} is not counted`);
    return {
      compared,
      differences: differences + notCounted.length,
      shown: [...shown, ...lines].slice(0, limits.rank.differencesKept),
    };
  }

  /** What was on its way when the verification began is counted by now. */
  private async stillNotCounted(generation: number, ids: readonly number[]): Promise<number[]> {
    if (ids.length === 0) return [];
    await pause(this.bounds.secondLookMs, undefined, { signal: this.stopping.signal }).catch(() => {
      throw new JobLeft();
    });
    return stillNotCounted(this.ranks.mysql, generation, ids);
  }
}
