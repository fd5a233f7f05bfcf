import type { Service } from "moleculer";
import { isUnavailable } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { BackgroundLoop } from "../../../mixins/background-loop.ts";
import { addHealthCheck } from "../../../mixins/health.mixin.ts";
import { DatabaseLease } from "../../../mixins/mysql/database-lease.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import { firstPending, rollUpIncomes } from "./income-store.ts";

const lease = "income-rollup";
const bounds = { rows: limits.wallet.incomeRoundRows, entries: limits.wallet.incomeRoundEntries };

/** What a node may be told to do otherwise, for tests; the default is in config/limits.ts. */
export interface RollupSettings {
  incomeRollupEveryMs: number;
}

/**
 * Adds up what anchors earned, apart from the gifts' transactions: gifts never lock an anchor's row. One node does it at
 * a time, at a fixed interval, and is not woken by gifts: each round writes one row for each anchor, so fewer rounds write
 * fewer rows. Two nodes that do it at once, as after a lease that ran out under its holder, stay exact.
 */
export class IncomeRollup {
  private readonly wallet: Service & MysqlState;
  private readonly lease: DatabaseLease;
  private readonly loop: BackgroundLoop;
  /** As this node's clock went when income was last known to be complete; of the node's start at first. */
  private completeAt = performance.now();

  constructor(wallet: Service & MysqlState) {
    this.wallet = wallet;
    const { mysql, broker, logger, settings } = wallet;
    this.lease = new DatabaseLease({ mysql, name: lease, holder: broker.nodeID, ms: limits.wallet.incomeLeaseMs });
    this.loop = new BackgroundLoop({
      name: "income roll-up",
      idleMs: (settings as RollupSettings).incomeRollupEveryMs,
      errorBackoffMs: limits.outbox.errorBackoffMs,
      log: logger as never,
      round: () => this.round(),
    });
    addHealthCheck(wallet, "income", () => this.requireInTime(), { degrades: true });
  }

  /** Resolves once the running round has ended and the lease is another's to take. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await this.lease.giveBack().catch((error: Error) => {
      this.wallet.logger.warn({ err: error, lease }, "a lease was not given back: it runs out by itself");
    });
  }

  /** Whether there is more to roll up at once. */
  private async round(): Promise<boolean> {
    const { mysql, logger } = this.wallet;
    const lookedAt = performance.now();
    const first = await firstPending(mysql);
    this.completeAt = lookedAt - (first?.waitingMs ?? 0);
    if (!first || !(await this.lease.hold())) return false;
    try {
      return (await mysql.transaction((tx) => rollUpIncomes(tx, bounds))).more;
    } catch (error) {
      if (isUnavailable(error)) throw error;
      const about = { err: error, firstPendingId: first.id, waitingMs: Math.round(first.waitingMs) };
      logger.error(about, "income is not rolled up: no pending row is, until this is repaired; it is tried again");
      return false;
    }
  }

  /** By what the last round saw. Rejects where income is late: money is not, so the wallet does its job all the same. */
  private async requireInTime(): Promise<void> {
    const lateMs = performance.now() - this.completeAt;
    if (lateMs > limits.wallet.incomeLateMs)
      throw new Error(`income has not been rolled up for ${Math.round(lateMs / 1_000)} s`);
  }
}
