import { limits } from "../../../config/limits.ts";
import { isParked, ordersWithTopic, unparkOrder } from "../parked-store.ts";
import type { PaymentContext } from "../payment-context.ts";
import { lockOrder } from "../payment-store.ts";
import { sendCredit } from "../settlement.ts";
import type { Job } from "./job.ts";

/** Credits paid orders that were parked without a topic (`topicMissing`), once their biz code has one. */
export function uncreditedOrdersJob(context: PaymentContext): Job<string> {
  return {
    name: "uncredited-orders",
    everyMs: limits.payment.uncreditedPollMs,
    atOnce: limits.payment.uncreditedOrders,
    portion: limits.payment.uncreditedOrders,
    due: (limit) => ordersWithTopic(context.mysql, limit),
    async handle(orderIds) {
      let credited = 0;
      for (const orderId of orderIds) if (await credit(context, orderId)) credited++;
      return credited === orderIds.length;
    },
  };
}

/**
 * Returns whether the order's message is on its way: false where another node was faster, or the topic was removed
 * again.
 */
async function credit(context: PaymentContext, orderId: string): Promise<boolean> {
  const sent = await context.mysql.transaction(async (tx) => {
    const order = await lockOrder(tx, orderId);
    if (order?.state !== "paid" || !order.payTime) return false;
    if (!(await isParked(tx, orderId, ["topicMissing"]))) return false;
    if (!(await sendCredit(context, tx, order, order.payTime, null))) return false;
    return unparkOrder(tx, orderId, ["topicMissing"]);
  });
  if (!sent) return false;
  context.outbox.wake();
  context.logger.info({ orderId }, "a parked order has a topic now: its message is on its way");
  return true;
}
