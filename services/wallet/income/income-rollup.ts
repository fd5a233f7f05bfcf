import type { Service } from "moleculer";
import { isUnavailable } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { BackgroundLoop } from "../../../mixins/background-loop.ts";
import { addHealthCheck } from "../../../mixins/health.mixin.ts";
import { DatabaseLease } from "../../../mixins/mysql/database-lease.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import type { SealChains } from "../../../mixins/seals/seal-chains.ts";
import { firstPending, rollUpIncomes } from "./income-store.ts";

const lease = "income-rollup";
const bounds = { rows: limits.wallet.incomeRoundRows, entries: limits.wallet.incomeRoundEntries };

/** Settings that tests override; the defaults are in config/limits.ts. */
export interface RollupSettings {
  incomeRollupEveryMs: number;
}

interface Sealed {
  seals: SealChains;
}

/**
 * Rolls up what anchors earned, outside of the gifts' transactions: a gift never locks an anchor's row. One node does
 * it at a time, at a fixed interval. Each round writes one row for each anchor, so fewer rounds write fewer rows.
 * Should two nodes do it at once, after a lease expired under its holder, the sums stay exact.
 */
export class IncomeRollup {
  private readonly wallet: Service & MysqlState & Sealed;
  private readonly lease: DatabaseLease;
  private readonly loop: BackgroundLoop;
  /** When income was last known to be complete, by this node's clock; at first the node's start. */
  private completeAt = performance.now();

  constructor(wallet: Service & MysqlState & Sealed) {
    this.wallet = wallet;
    const { mysql, broker, logger, settings } = wallet;
    this.lease = new DatabaseLease({ mysql, name: lease, holder: broker.nodeID, ms: limits.wallet.incomeLeaseMs });
    this.loop = new BackgroundLoop({
      name: "income roll-up",
      idleMs: (settings as RollupSettings).incomeRollupEveryMs,
      errorBackoffMs: limits.outbox.errorBackoffMs,
      log: logger,
      round: () => this.round(),
    });
    addHealthCheck(wallet, "income", () => this.requireInTime(), { degrades: true });
  }

  /** Resolves once the running round has ended and the lease is free. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await this.lease.giveBack().catch((error: Error) => {
      this.wallet.logger.warn({ err: error, lease }, "a lease was not freed: it expires by itself");
    });
  }

  /** Whether there is more to roll up at once. */
  private async round(): Promise<boolean> {
    const { mysql, seals, logger } = this.wallet;
    const readAt = performance.now();
    const first = await firstPending(mysql);
    this.completeAt = readAt - (first?.waitingMs ?? 0);
    if (!first || !(await this.lease.hold())) return false;
    try {
      return (await seals.transaction(mysql, (tx, sealing) => rollUpIncomes(tx, bounds, sealing))).more;
    } catch (error) {
      if (isUnavailable(error)) throw error;
      const about = { err: error, firstPendingId: first.id, waitingMs: Math.round(first.waitingMs) };
      logger.error(
        about,
        "the roll-up of income fails and is tried again: no income is rolled up until the cause is repaired",
      );
      return false;
    }
  }

  /** Rejects where income is late, as of the last round. The wallet is degraded, not unready: coins are not late. */
  private async requireInTime(): Promise<void> {
    const lateMs = performance.now() - this.completeAt;
    if (lateMs > limits.wallet.incomeLateMs)
      throw new Error(`income has not been rolled up for ${Math.round(lateMs / 1_000)} s`);
  }
}
