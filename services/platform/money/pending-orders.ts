import type { Service } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { BackgroundLoop } from "../../../mixins/background-loop.ts";
import { DatabaseLease } from "../../../mixins/mysql/database-lease.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import type { MoneyOrders } from "./money-orders.ts";
import { dueOrders, expireProposals, postponeOrders } from "./order-store.ts";

/** Settings that tests override; the defaults are in config/limits.ts. */
export interface PendingOrdersSettings {
  ordersEveryMs: number;
}

/**
 * Carries out pending orders whose node died, or whose wallet was away, and ends proposals on which nobody decided: on one
 * node at a time. If two nodes work for a short time, each order still takes effect once.
 */
export class PendingOrders {
  private readonly platform: Service & MysqlState;
  private readonly orders: Pick<MoneyOrders, "carryOut">;
  private readonly lease: DatabaseLease;
  private readonly loop: BackgroundLoop;

  constructor(platform: Service & MysqlState, orders: Pick<MoneyOrders, "carryOut">) {
    this.platform = platform;
    this.orders = orders;
    const { mysql, broker, logger, settings } = platform;
    const { ordersEveryMs } = settings as PendingOrdersSettings;
    const ms = limits.platform.ordersLeaseMs;
    this.lease = new DatabaseLease({ mysql, name: "money-orders", holder: broker.nodeID, ms });
    this.loop = new BackgroundLoop({
      name: "pending money orders",
      idleMs: ordersEveryMs,
      errorBackoffMs: ordersEveryMs,
      log: logger,
      round: () => this.round(),
    });
  }

  /** Resolves once the running round is over and another node can take the lease. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await this.lease.giveBack().catch((error: Error) => {
      this.platform.logger.warn({ err: error }, "the lease of pending orders was not freed: it expires by itself");
    });
  }

  private async round(): Promise<boolean> {
    if (!(await this.lease.hold())) return false;
    const { mysql, logger } = this.platform;
    const expired = await expireProposals(mysql);
    if (expired > 0) logger.info({ proposals: expired }, "proposals expired: nobody decided on them in time");
    const due = await dueOrders(mysql);
    if (due.length === 0) return false;
    const ids = due.map(({ id }) => id);
    await postponeOrders(mysql, ids);
    const results = await Promise.allSettled(due.map((order) => this.orders.carryOut(order)));
    const failed = results.filter((result) => result.status === "rejected");
    logger.info({ orders: due.length - failed.length, first: ids[0] }, "pending orders are carried out");
    if (failed.length > 0)
      logger.warn({ err: failed[0]?.reason, orders: failed.length }, "pending orders are not carried out: tried again");
    return failed.length === 0 && due.length === limits.platform.ordersPerRound;
  }
}
