import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import type { PaymentDesk } from "./desk.ts";
import { moneyGone, type Order } from "./order.ts";
import { isParked, ordersToRelease, parkOrder, unparkOrder } from "./parked-store.ts";
import { lockOrder } from "./payment-store.ts";
import { announce } from "./settlement.ts";

/** Sends what found no topic once there is one, on every node, until it is stopped. */
export function keepReleasing(desk: PaymentDesk): BackgroundLoop {
  return new BackgroundLoop({
    name: "parked-orders",
    round: () => releaseParked(desk),
    idleMs: limits.payment.parkedSweepMs,
    errorBackoffMs: limits.payment.parkedSweepMs,
    log: desk.logger,
  });
}

/** Sends the messages of paid orders whose biz code has got its topic by now. Whether there may be more of them. */
export async function releaseParked(desk: PaymentDesk): Promise<boolean> {
  let released = 0;
  for (const orderId of await ordersToRelease(desk.mysql, limits.payment.parkedSweepOrders)) {
    const done = await desk.mysql.transaction(async (tx) => {
      const order = await lockOrder(tx, orderId);
      if (order?.state !== "paid" || !order.payTime) return false;
      if (!(await isParked(tx, orderId, ["topicMissing"]))) return false;
      if (!(await announce(desk, tx, order, order.payTime, null))) return false;
      return unparkOrder(tx, orderId, ["topicMissing"]);
    });
    if (!done) continue;
    released++;
    desk.outbox.wake();
    desk.logger.info({ orderId }, "a parked order found its topic: its message is on its way");
  }
  return released === limits.payment.parkedSweepOrders;
}

/**
 * Credits an order that is held back, once, by an operator's decision: its message is on its way when this returns, or
 * waits for a topic. What was to be looked at about money that went back is looked at by that. Fails: payOrderUnknown,
 * payOrderState.
 */
export async function releaseHeld(desk: PaymentDesk, orderId: string, requestId: string | null): Promise<Order> {
  const { order, sent } = await desk.mysql.transaction(async (tx) => {
    const held = await lockOrder(tx, orderId);
    if (!held) throw fail("payOrderUnknown", { orderId });
    if (held.state !== "paid" || !held.payTime || !(await unparkOrder(tx, orderId, ["creditHeld"])))
      throw fail("payOrderState", { orderId, state: held.state });
    await unparkOrder(tx, orderId, moneyGone, held.transactionId ?? "");
    const found = await announce(desk, tx, held, held.payTime, requestId);
    if (!found) await parkOrder(tx, orderId, "topicMissing", "");
    return { order: held, sent: found };
  });
  desk.outbox.wake();
  const about = { orderId, userId: order.userId, coins: order.coins, requestId };
  if (sent) desk.logger.info(about, "an order that was held back is credited by an operator's decision");
  else desk.logger.error(about, "an order is released and has no topic: give its biz code one in t_pay_topic");
  return order;
}
