import { limits } from "../../config/limits.ts";
import { isDuplicateKey, type Transaction } from "../../mixins/mysql/database.ts";
import type { PaymentDesk } from "./desk.ts";
import { isTopic, paidEvent, topicMessage } from "./messages.ts";
import { NoticeRefused, type NoticeVerdict, recordOf, refusalStatus } from "./notice-record.ts";
import type { Order, Parked } from "./order.ts";
import type { NoticeAnswer, RawNotice } from "./payment.contract.ts";
import {
  insertNotice,
  lockOrder,
  moveOrder,
  orderById,
  ordersToRelease,
  parkOrder,
  topicOf,
  unparkOrder,
} from "./payment-store.ts";
import { type PaymentProvider, payChannels, type VerifiedNotice } from "./providers/provider.ts";

/** A call of a provider, on its way through this module. */
interface Delivery {
  readonly provider: PaymentProvider;
  readonly raw: RawNotice;
  readonly requestId: string | null;
}

/**
 * A provider's notice: verified, then applied at most once, with an audit row whatever comes of it (of those that are
 * not believed so many a minute, since anybody can send them). What it changed is committed when this returns. Fails:
 * unavailable; then nothing was changed, or a repeat will find it done.
 */
export async function takeNotice(desk: PaymentDesk, delivery: Delivery): Promise<NoticeAnswer> {
  const { provider, raw } = delivery;
  let notice: VerifiedNotice | null = null;
  try {
    notice = provider.readNotice(raw, new Date());
    const order = await believedOrder(desk, provider, notice);
    const verdict = await apply(desk, delivery, notice, order);
    desk.outbox.wake();
    report(desk, delivery, notice, verdict);
    return provider.answer(verdict, 200);
  } catch (error) {
    const refused = refusalOf(error);
    if (!refused) throw error;
    return refuse(desk, delivery, notice, refused);
  }
}

function refusalOf(error: unknown): NoticeRefused | null {
  if (error instanceof NoticeRefused) return error;
  return isDuplicateKey(error) ? new NoticeRefused("transactionReused", "this payment has paid another order") : null;
}

async function refuse(
  desk: PaymentDesk,
  { provider, raw, requestId }: Delivery,
  notice: VerifiedNotice | null,
  refused: NoticeRefused,
): Promise<NoticeAnswer> {
  const verdict: NoticeVerdict = { outcome: "refused", reason: refused.message };
  if (notice || desk.strangerRows.take(Date.now()))
    await insertNotice(desk.mysql, recordOf(provider.channel, raw, notice, verdict, requestId));
  const about = { channel: provider.channel, ip: raw.ip, orderId: notice?.orderId, reason: refused.message, requestId };
  if (notice) desk.logger.error(about, "a genuine payment notice does not fit its order: look at it at the provider");
  else desk.logger.warn(about, "a payment notice was not believed: nothing was changed");
  return provider.answer({ ...verdict, reason: refused.refusal }, refusalStatus[refused.refusal]);
}

/** The order that a genuine notice is about, where it says what the order says. */
async function believedOrder(desk: PaymentDesk, provider: PaymentProvider, notice: VerifiedNotice): Promise<Order> {
  const order = await orderById(desk.mysql, notice.orderId);
  if (!order) throw new NoticeRefused("orderUnknown");
  if (order.payChannel !== payChannels[provider.channel])
    throw new NoticeRefused("channel", `the order's is ${order.payChannel}`);
  if (order.amount !== notice.amount)
    throw new NoticeRefused("amount", `${notice.amount} instead of ${order.amount} fen`);
  return order;
}

/** The change of state, its messages and the audit row, in one transaction. */
function apply(desk: PaymentDesk, delivery: Delivery, notice: VerifiedNotice, order: Order): Promise<NoticeVerdict> {
  const { provider, raw, requestId } = delivery;
  return desk.mysql.transaction(async (tx) => {
    const verdict = await decide(desk, tx, notice, order, requestId);
    if (verdict.parked) await parkOrder(tx, order.orderId, verdict.parked);
    await insertNotice(tx, recordOf(provider.channel, raw, notice, verdict, requestId));
    desk.steps.beforeCommit?.(order.orderId);
    return verdict;
  });
}

async function decide(
  desk: PaymentDesk,
  tx: Transaction,
  notice: VerifiedNotice,
  order: Order,
  requestId: string | null,
): Promise<NoticeVerdict> {
  const { orderId, bizCode } = order;
  if (notice.says === "other") return { outcome: "ignored", reason: "a state that changes nothing here" };
  if (notice.says === "cancelled") {
    if (await moveOrder(tx, orderId, "cancelled")) return { outcome: "applied", reason: "cancelled" };
    const now = await lockOrder(tx, orderId);
    if (now?.state === "cancelled") return { outcome: "repeated", reason: "cancelled before" };
    return { outcome: "ignored", reason: `cancelled, but the order is ${now?.state}` };
  }
  const details = { pay_time: notice.time, transaction_id: notice.transactionId };
  if (!(await moveOrder(tx, orderId, "paid", details))) return alreadyOver(tx, notice);
  desk.steps.afterStateChange?.(orderId);
  await desk.outbox.add(tx, { ...paidEvent(order, notice.time), requestId });
  if (await announce(desk, tx, order, notice.time, requestId)) return { outcome: "applied", reason: "paid" };
  return { outcome: "parked", reason: `paid, but biz code ${bizCode} has no usable topic`, parked: "topicMissing" };
}

/** A payment of an order that is not open any more: a repeat, or money without an order. */
async function alreadyOver(tx: Transaction, notice: VerifiedNotice): Promise<NoticeVerdict> {
  const order = await lockOrder(tx, notice.orderId);
  if (order?.state !== "paid" && order?.state !== "refunded")
    return { outcome: "parked", reason: `paid, but the order is ${order?.state}`, parked: "paidWhenClosed" };
  if (order.transactionId === notice.transactionId) return { outcome: "repeated", reason: "paid before" };
  return { outcome: "parked", reason: `paid again, first by ${order.transactionId}`, parked: "paidTwice" };
}

/** Writes the message to the topic of the order's biz code; `false` where there is no usable one. */
async function announce(
  desk: PaymentDesk,
  tx: Transaction,
  order: Order,
  payTime: Date,
  requestId: string | null,
): Promise<boolean> {
  const topic = await topicOf(tx, order.bizCode);
  if (topic === null || !isTopic(topic)) return false;
  await desk.outbox.add(tx, { ...topicMessage(topic, order, payTime), requestId });
  return true;
}

const operatorsTask: Readonly<Record<Parked, string>> = {
  topicMissing:
    "a paid order is not credited yet: give its biz code a topic in t_pay_topic, it goes out by itself then",
  paidWhenClosed: "money came in for a closed order and was not credited: refund it at the provider",
  paidTwice: "an order was paid a second time and credited once: refund this transaction at the provider",
};

function report(desk: PaymentDesk, { provider, requestId }: Delivery, notice: VerifiedNotice, verdict: NoticeVerdict) {
  const { orderId, noticeId, transactionId, amount } = notice;
  const about = { channel: provider.channel, orderId, noticeId, transactionId, amount, ...verdict, requestId };
  if (verdict.parked) desk.logger.error(about, operatorsTask[verdict.parked]);
  else desk.logger.info(about, "payment notice taken");
}

/** Sends the messages of paid orders whose biz code has got its topic by now. Whether there may be more of them. */
export async function releaseParked(desk: PaymentDesk): Promise<boolean> {
  let released = 0;
  for (const orderId of await ordersToRelease(desk.mysql, limits.payment.parkedSweepOrders)) {
    const done = await desk.mysql.transaction(async (tx) => {
      const order = await lockOrder(tx, orderId);
      if (order?.state !== "paid" || order.parked !== "topicMissing" || !order.payTime) return false;
      if (!(await announce(desk, tx, order, order.payTime, null))) return false;
      await unparkOrder(tx, orderId);
      return true;
    });
    if (!done) continue;
    released++;
    desk.outbox.wake();
    desk.logger.info({ orderId }, "a parked order found its topic: its message is on its way");
  }
  return released === limits.payment.parkedSweepOrders;
}
