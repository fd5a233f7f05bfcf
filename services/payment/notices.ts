import { isDuplicateKey } from "../../mixins/mysql/database.ts";
import type { PaymentDesk } from "./desk.ts";
import { NoticeRefused, type NoticeVerdict, recordOf, refusalStatus } from "./notice-record.ts";
import type { Parked } from "./order.ts";
import { parkOrder } from "./parked-store.ts";
import type { NoticeAnswer, RawNotice } from "./payment.contract.ts";
import { insertNotice, orderById } from "./payment-store.ts";
import { type PaymentProvider, payChannels, type VerifiedNotice } from "./providers/provider.ts";
import { settle } from "./settlement.ts";

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
  const { verdict, status } = await judge(desk, delivery, () => delivery.provider.readNotice(delivery.raw, new Date()));
  return delivery.provider.answer(verdict, status);
}

/**
 * What the provider said of an order when it was asked, taken as if it had called: of a question and a notice at once,
 * one changes the order. Fails: unavailable.
 */
export async function takeAnswer(
  desk: PaymentDesk,
  provider: PaymentProvider,
  notice: VerifiedNotice,
): Promise<NoticeVerdict> {
  const raw = { body: "", headers: {}, query: {}, ip: "asked" };
  return (await judge(desk, { provider, raw, requestId: null }, () => notice)).verdict;
}

async function judge(
  desk: PaymentDesk,
  delivery: Delivery,
  read: () => VerifiedNotice,
): Promise<{ verdict: NoticeVerdict; status: number }> {
  const { provider } = delivery;
  let notice: VerifiedNotice | null = null;
  try {
    notice = read();
    await requireFitting(desk, provider, notice);
    const verdict = await apply(desk, delivery, notice);
    desk.outbox.wake();
    report(desk, delivery, notice, verdict);
    return { verdict, status: 200 };
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
): Promise<{ verdict: NoticeVerdict; status: number }> {
  const verdict: NoticeVerdict = { outcome: "refused", reason: refused.message };
  if (notice || desk.strangerRows.take(Date.now()))
    await insertNotice(desk.mysql, recordOf(provider.channel, raw, notice, verdict, requestId));
  const about = { channel: provider.channel, ip: raw.ip, orderId: notice?.orderId, reason: refused.message, requestId };
  if (notice) desk.logger.error(about, "a genuine payment notice does not fit its order: look at it at the provider");
  else desk.logger.warn(about, "a payment notice was not believed: nothing was changed");
  return { verdict: { ...verdict, reason: refused.refusal }, status: refusalStatus[refused.refusal] };
}

/** @throws NoticeRefused where a genuine notice does not say what its order says; what is compared never changes. */
async function requireFitting(desk: PaymentDesk, provider: PaymentProvider, notice: VerifiedNotice): Promise<void> {
  const order = await orderById(desk.mysql, notice.orderId);
  if (!order) throw new NoticeRefused("orderUnknown");
  if (order.payChannel !== payChannels[provider.channel])
    throw new NoticeRefused("channel", `the order's is ${order.payChannel}`);
  if (order.amount !== notice.amount)
    throw new NoticeRefused("amount", `${notice.amount} instead of ${order.amount} fen`);
}

/** The change of state, its messages and the audit row, in one transaction. */
function apply(desk: PaymentDesk, delivery: Delivery, notice: VerifiedNotice): Promise<NoticeVerdict> {
  const { provider, raw, requestId } = delivery;
  return desk.mysql.transaction(async (tx) => {
    const verdict = await settle(desk, tx, notice, requestId);
    if (verdict.parked) await parkOrder(tx, notice.orderId, verdict.parked, notice.transactionId);
    await insertNotice(tx, recordOf(provider.channel, raw, notice, verdict, requestId));
    desk.steps.beforeCommit?.(notice.orderId);
    return verdict;
  });
}

const operatorsTask: Readonly<Record<Parked, string>> = {
  topicMissing:
    "a paid order is not credited yet: give its biz code a topic in t_pay_topic, it goes out by itself then",
  creditHeld:
    "money of a payment went back before it was credited, so it is not: see at the provider how much, then release the order or refund it",
  paidWhenClosed: "money came in for a closed order and was not credited: refund it at the provider",
  refundPartial: "a part of a payment went back and no coins were taken: settle it by hand",
  refundUnclear:
    "money of a payment went back, and the provider does not say how much: look there; no coins were taken",
  refundFailed: "coins were taken back and the money did not go back: refund it at the provider by hand",
  paidTwice: "an order was paid a second time and credited once: refund this transaction at the provider",
};

function report(desk: PaymentDesk, { provider, requestId }: Delivery, notice: VerifiedNotice, verdict: NoticeVerdict) {
  const { orderId, noticeId, transactionId, amount } = notice;
  const about = { channel: provider.channel, orderId, noticeId, transactionId, amount, ...verdict, requestId };
  if (verdict.parked) desk.logger.error(about, operatorsTask[verdict.parked]);
  else desk.logger.info(about, "payment notice taken");
}
