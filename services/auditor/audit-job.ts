import { setTimeout as pause } from "node:timers/promises";
import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import { DatabaseLease } from "../../mixins/mysql/database-lease.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { AllBookKeys } from "../book-keys.ts";
import { CheckRuns, RunEnded } from "./check-runs.ts";
import { partsSince, withParts } from "./checks/day-parts.ts";
import { serverTime } from "./checks/windows-store.ts";
import { checksOf, type RunPorts } from "./comparison.ts";
import { type Difference, differenceKinds, keyOf } from "./differences.ts";
import { closeFindings, keepFindings, openKeys } from "./findings-store.ts";
import type { FurtherBooks } from "./further-books.ts";
import { keepPass, keepRound, type LastPass, lastPass } from "./runs-store.ts";

/** Settings that tests override; the defaults are in config/limits.ts. */
export interface AuditSettings {
  roundEveryMs: number;
  passEveryMs: number;
  passRestFactor: number;
  pageRestFactor: number;
  leaseMs: number;
  secondLookMs: number;
  underWayMs: number;
  findingsPerPass: number;
}

export const usualAudit: AuditSettings = {
  roundEveryMs: limits.books.roundEveryMs,
  passEveryMs: limits.books.passEveryMs,
  passRestFactor: limits.books.passRestFactor,
  pageRestFactor: limits.books.pageRestFactor,
  leaseMs: limits.books.auditorLeaseMs,
  secondLookMs: limits.books.secondLookMs,
  underWayMs: limits.books.underWayMs,
  findingsPerPass: limits.books.findingsPerPass,
};

type Auditor = Service &
  MysqlState & {
    books: Database;
    further: readonly FurtherBooks[];
    sealKeys: AllBookKeys;
  };

/**
 * Compares the books, on one node at a time. A round compares what is new. A full pass compares everything, beside the
 * rounds; it begins as soon as `passRestFactor` times the duration of the last one is over, and at least once a day,
 * and rests between its pages. Small books are compared with every round and without rests, so that what differs is
 * named within seconds.
 */
export class AuditJob {
  private readonly auditor: Auditor;
  private readonly settings: AuditSettings;
  private readonly lease: DatabaseLease;
  private readonly loop: BackgroundLoop;
  private readonly stopping = new AbortController();
  private readonly runs: CheckRuns;
  /** By check: when the last round that it came through began, by the clock of the books' server. */
  private readonly comparedTo = new Map<string, Date>();
  private readonly startedAt = performance.now();
  /** Of this process's clock; minus infinity while another node may hold the lease. */
  private leaseRenewedAt = Number.NEGATIVE_INFINITY;
  /** A page may take longer than a lease lasts. */
  private readonly renewal: NodeJS.Timeout;
  private renewing: Promise<void> = Promise.resolve();
  private pass: Promise<void> | undefined;
  /** Rows that this node has compared, for /metrics. */
  compared = 0;

  constructor(auditor: Auditor) {
    this.auditor = auditor;
    const { mysql, books, broker, logger, settings } = auditor;
    this.settings = settings as AuditSettings;
    this.lease = new DatabaseLease({ mysql, name: "audit", holder: broker.nodeID, ms: this.settings.leaseMs });
    this.runs = new CheckRuns({
      log: logger,
      databasesAnswer: () => Promise.all([books, mysql, ...auditor.further.map((one) => one.books)].map(serverTime)),
      isStarting: () => this.isStarting(),
    });
    this.renewal = setInterval(() => {
      this.renewing = this.renewing.then(() => this.renewLease());
    }, this.settings.leaseMs / 3);
    this.loop = new BackgroundLoop({
      name: "comparison of the books",
      idleMs: this.settings.roundEveryMs,
      errorBackoffMs: this.settings.roundEveryMs,
      log: logger,
      round: () => this.round(),
    });
  }

  /** Resolves once the running pages are done and the lease is free. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop.stop();
    await this.pass;
    clearInterval(this.renewal);
    await this.renewing;
    await this.lease.giveBack().catch((error: Error) => {
      this.auditor.logger.warn({ err: error }, "the lease of the comparison was not freed: it expires by itself");
    });
  }

  private async round(): Promise<boolean> {
    if (!(await this.holdLease())) {
      this.comparedTo.clear();
      return false;
    }
    try {
      await this.compareNew();
      if (!this.pass) await this.startPass();
    } catch (error) {
      if (!this.isExpected(error)) throw error;
    }
    return false;
  }

  /** Starts a full pass where one is due. */
  private async startPass(): Promise<void> {
    const { mysql, logger } = this.auditor;
    const last = await lastPass(mysql);
    const small = last !== undefined && last.rows <= limits.books.smallRows;
    if (!this.passIsDue(last, small)) return;
    const parts = partsSince(last && Date.now() - last.sinceBeganMs, Date.now());
    this.pass = withParts(parts, () => this.compareAll(small ? 0 : this.settings.pageRestFactor))
      .catch((error) => {
        if (!this.isExpected(error))
          logger.warn({ err: error }, "a full pass over the books failed: it begins again after the next round");
      })
      .finally(() => {
        this.pass = undefined;
      });
  }

  /** Whether a run ended by the lease or a stop, or at the first start of a system, whose databases are being made. */
  private isExpected(error: unknown): boolean {
    if (error instanceof RunEnded) return true;
    if (!this.isStarting()) return false;
    this.auditor.logger.info({ err: error }, "the books cannot be compared yet: tried again");
    return true;
  }

  private isStarting(): boolean {
    return performance.now() - this.startedAt <= limits.books.startingMs;
  }

  private async holdLease(): Promise<boolean> {
    const held = await this.lease.hold();
    this.leaseRenewedAt = held ? performance.now() : Number.NEGATIVE_INFINITY;
    return held;
  }

  private async renewLease(): Promise<void> {
    if (this.leaseRenewedAt === Number.NEGATIVE_INFINITY) return;
    const held = await this.lease.renew().catch(() => undefined);
    // Where the database does not answer, the end of the page asks again.
    if (held !== undefined) this.leaseRenewedAt = held ? performance.now() : Number.NEGATIVE_INFINITY;
  }

  private checks() {
    const { books, further, mysql, sealKeys } = this.auditor;
    const { underWayMs } = this.settings;
    const own = { seen: mysql, audit: mysql };
    return checksOf({ books, further, own, keys: sealKeys, everyRow: false, underWayMs });
  }

  /** A node that takes over begins where the last round may have ended when its holder died. */
  private async compareNew(): Promise<void> {
    const { books, mysql } = this.auditor;
    const now = await serverTime(books);
    const { roundEveryMs, leaseMs } = this.settings;
    const ports = this.ports(0, await openKeys(mysql));
    let complete = true;
    for (const check of this.checks()) {
      if (!check.rounds) continue;
      const since = this.comparedTo.get(check.name)?.getTime() ?? now.getTime() - leaseMs - roundEveryMs;
      const result = await this.runs.run(check, new Date(since - limits.books.lateCommitMs), ports);
      if (result === "failed") complete = false;
      else this.comparedTo.set(check.name, now);
    }
    if (complete) await keepRound(mysql);
  }

  private passIsDue(last: LastPass | undefined, small: boolean): boolean {
    if (!last) return true;
    const { passEveryMs, passRestFactor } = this.settings;
    const rest = small ? passEveryMs : Math.max(passEveryMs, passRestFactor * last.tookMs);
    return last.ageMs >= rest || last.sinceBeganMs >= limits.books.passEveryMsMax;
  }

  private async compareAll(restFactor: number): Promise<void> {
    const { mysql, logger } = this.auditor;
    const began = await serverTime(mysql);
    const ports = this.ports(restFactor, await openKeys(mysql));
    let [rows, differences, cut, complete] = [0, 0, false, true];
    for (const check of this.checks()) {
      if (!check.passes) continue;
      const result = await this.runs.run(check, null, ports);
      if (result === "failed") {
        complete = false;
        continue;
      }
      rows += result?.rows ?? 0;
      differences += result?.differences ?? 0;
      cut ||= result?.cut ?? false;
    }
    // What a failed check would have found may be there.
    if (!complete) return;
    // Of a pass that left out differences, one that it did not name may be there.
    if (cut)
      logger.warn(
        { differences },
        "more differences of the books than are kept: no open finding is closed by this pass",
      );
    else
      for (const { kind, subject } of await closeFindings(mysql, began))
        logger.info({ kind, subject }, "a difference of the books is gone");
    await keepPass(mysql, began, rows, differences);
  }

  private ports(restFactor: number, known: Set<string>): RunPorts {
    // A ledger of which everything differs must not fill the log and the table.
    let left = this.settings.findingsPerPass;
    return {
      isKnown: (difference) => known.has(keyOf(difference)),
      secondLookMs: this.settings.secondLookMs,
      found: async (differences) => {
        const reported = differences.filter((one) => known.has(keyOf(one)) || left-- > 0);
        await this.report(reported);
        for (const one of reported) known.add(keyOf(one));
        return reported.length === differences.length;
      },
      pageDone: async (_check, { rows }, tookMs) => {
        this.compared += rows;
        const { signal } = this.stopping;
        if (signal.aborted) throw new RunEnded();
        const restMs = Math.min(tookMs * restFactor, limits.books.pageRestMsMax);
        if (restMs > 1)
          await pause(restMs, undefined, { signal }).catch(() => {
            throw new RunEnded();
          });
        const sinceRenewal = performance.now() - this.leaseRenewedAt;
        if (sinceRenewal > this.settings.leaseMs / 4 && !(await this.holdLease())) throw new RunEnded();
      },
    };
  }

  private async report(differences: readonly Difference[]): Promise<void> {
    const { mysql, logger } = this.auditor;
    for (const { kind, subject, detail } of await keepFindings(mysql, differences)) {
      const [what, toDo] = differenceKinds[kind];
      logger.error({ kind, subject, detail, toDo }, `the books differ: ${what}`);
    }
  }
}
