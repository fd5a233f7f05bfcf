import { limits } from "../../../config/limits.ts";
import { isParked, ordersWithTopic, parkOrder, unparkOrder } from "../parked-store.ts";
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
      let settled = 0;
      for (const orderId of orderIds) if (await credit(context, orderId)) settled++;
      return settled === orderIds.length;
    },
  };
}

/**
 * Returns whether the order waits no longer: false where another node was faster, or the topic was removed again. An
 * order that is not as payment wrote it is not credited, and waits for a person.
 */
async function credit(context: PaymentContext, orderId: string): Promise<boolean> {
  const outcome = await context.mysql.transaction(async (tx) => {
    const order = await lockOrder(tx, orderId);
    if (order?.state !== "paid") return "waits";
    if (!(await isParked(tx, orderId, ["topicMissing"]))) return "waits";
    const unsent = await sendCredit(context, tx, order, null);
    if (unsent === "topicMissing") return "waits";
    await unparkOrder(tx, orderId, ["topicMissing"]);
    if (unsent) await parkOrder(tx, orderId, unsent, "");
    return unsent ?? "sent";
  });
  if (outcome !== "sent") return outcome === "creditChanged";
  context.outbox.wake();
  context.logger.info({ orderId }, "a parked order has a topic now: its message is on its way");
  return true;
}
