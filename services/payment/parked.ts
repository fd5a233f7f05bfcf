import { fail } from "../../broker/failure.ts";
import { fittingPage } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import type { ParkedOrder } from "./operators.contract.ts";
import { markedPayment } from "./order.ts";
import { orderStatus } from "./order-state.ts";
import { isMark, isParkedReason, mayRemove, parkedActions } from "./parked-actions.ts";
import { hasMark, marksOf, parkedOf, parkedOrderIds, removeMarkRow } from "./parked-store.ts";
import type { PaymentContext } from "./payment-context.ts";
import { lockOrder, ordersById } from "./payment-store.ts";
import { moveRefund } from "./refunds/refund-store.ts";

/**
 * A page of the orders that a person must examine, oldest first, with what may be done about each mark. Fails:
 * invalidParam (no such mark).
 */
export async function parkedPage(
  { mysql }: Pick<PaymentContext, "mysql">,
  { mark, cursor = "", limit }: { mark?: string; cursor?: string; limit: number },
): Promise<{ list: ParkedOrder[]; nextCursor: string | null }> {
  if (mark !== undefined && !isParkedReason(mark)) throw fail("invalidParam", { mark });
  const orderIds = await parkedOrderIds(mysql, { mark, after: cursor, limit });
  const orders = await ordersById(mysql, orderIds);
  const marks = Map.groupBy(await marksOf(mysql, orderIds), ({ orderId }) => orderId);
  const all = orders.map(
    ({ orderId, userId, state, amount, coins }): ParkedOrder => ({
      orderId,
      userId,
      status: orderStatus[state],
      amount,
      coinNum: coins,
      marks: (marks.get(orderId) ?? []).map(({ reason, transactionId, since }) => ({
        mark: reason,
        transactionId: transactionId || null,
        since: since.toISOString(),
        actions: parkedActions(reason, state),
      })),
    }),
  );
  const list = fittingPage(all, limits.bus.listBytes);
  const last = list.length < all.length ? list.at(-1)?.orderId : orderIds.length === limit && orderIds.at(-1);
  return { list, nextCursor: last || null };
}

/**
 * Takes a mark off an order by an operator's decision, where parked-actions.ts allows it. Of a refund that failed, the
 * money went back by a person's hand: the refund is done. Committed when it resolves. Fails: invalidParam,
 * payOrderUnknown, markStays.
 */
export async function removeMark(
  context: PaymentContext,
  { orderId, mark, transactionId, reason }: { orderId: string; mark: string; transactionId: string; reason: string },
) {
  if (!isMark(mark)) throw fail("invalidParam", { mark });
  const payment = markedPayment(mark, transactionId);
  const outcome = await context.mysql.transaction(async (tx) => {
    const order = await lockOrder(tx, orderId);
    if (!order) throw fail("payOrderUnknown", { orderId });
    const marked = await hasMark(tx, orderId, mark, payment);
    if (marked && !mayRemove(mark, order.state)) throw fail("markStays", { orderId, mark, state: order.state });
    if (marked) await removeMarkRow(tx, orderId, mark, payment);
    if (marked && mark === "refundFailed") await moveRefund(tx, orderId, "done");
    return { orderId, removed: marked, parked: await parkedOf(tx, orderId) };
  });
  if (outcome.removed)
    context.logger.info({ orderId, mark, transactionId: payment, reason }, "an operator took a mark off an order");
  return outcome;
}
