import { isDuplicateKey } from "../../mixins/mysql/database.ts";
import type { Parked } from "./order.ts";
import { parkOrder } from "./parked-store.ts";
import type { RawWebhook, WebhookAnswer } from "./payment.contract.ts";
import type { PaymentContext } from "./payment-context.ts";
import { insertWebhook, orderById } from "./payment-store.ts";
import type { OpenProvider } from "./providers/provider.ts";
import { type Outcome, type ProviderReport, refusalStatus, WebhookRefused } from "./providers/report.ts";
import { settle } from "./settlement.ts";
import { recordOf } from "./webhook-record.ts";

/** A webhook call, on its way through this module. */
interface Delivery {
  readonly open: OpenProvider;
  readonly raw: RawWebhook;
  readonly requestId: string | null;
}

/**
 * Takes a provider's webhook: verified, then applied at most once, with an audit row whatever it leads to (a bounded
 * number a minute of those that are not genuine, since anybody can send them). What it changed is committed when this
 * returns. Fails: unavailable; then nothing was changed, or a repeat will find it done.
 */
export async function takeWebhook(context: PaymentContext, delivery: Delivery): Promise<WebhookAnswer> {
  const { provider } = delivery.open;
  const { outcome, httpStatus } = await judge(context, delivery, () => provider.readWebhook(delivery.raw, new Date()));
  return provider.answer(outcome, httpStatus);
}

/**
 * Takes a provider's answer about an order as a webhook is taken: of an answer and a webhook at once, one changes the
 * order. Fails: unavailable.
 */
export async function takeAnswer(
  context: PaymentContext,
  open: OpenProvider,
  report: ProviderReport,
): Promise<Outcome> {
  const raw = { body: "", headers: {}, query: {}, ip: "asked" };
  return (await judge(context, { open, raw, requestId: null }, () => report)).outcome;
}

async function judge(
  context: PaymentContext,
  delivery: Delivery,
  read: () => ProviderReport,
): Promise<{ outcome: Outcome; httpStatus: number }> {
  let report: ProviderReport | null = null;
  try {
    report = read();
    await requireFitting(context, delivery.open, report);
    const outcome = await apply(context, delivery, report);
    context.outbox.wake();
    log(context, delivery, report, outcome);
    return { outcome, httpStatus: 200 };
  } catch (error) {
    const refused = refusalOf(error);
    if (!refused) throw error;
    return refuse(context, delivery, report, refused);
  }
}

function refusalOf(error: unknown): WebhookRefused | null {
  if (error instanceof WebhookRefused) return error;
  return isDuplicateKey(error) ? new WebhookRefused("transactionReused", "this payment has paid another order") : null;
}

async function refuse(
  context: PaymentContext,
  { open, raw, requestId }: Delivery,
  report: ProviderReport | null,
  refused: WebhookRefused,
): Promise<{ outcome: Outcome; httpStatus: number }> {
  const channel = open.declared.name;
  const outcome: Outcome = { outcome: "refused", reason: refused.message };
  if (report || context.refusedRows.take(Date.now()))
    await insertWebhook(context.mysql, recordOf(channel, raw, report, outcome, requestId));
  const about = { channel, ip: raw.ip, orderId: report?.orderId, reason: refused.message, requestId };
  if (report) context.logger.error(about, "a genuine webhook does not fit its order: look at it at the provider");
  else context.logger.warn(about, "a webhook is not genuine: nothing was changed");
  return { outcome: { ...outcome, reason: refused.refusal }, httpStatus: refusalStatus[refused.refusal] };
}

/** @throws WebhookRefused where a genuine report does not fit its order; what is compared never changes. */
async function requireFitting(
  context: PaymentContext,
  { declared }: OpenProvider,
  report: ProviderReport,
): Promise<void> {
  const order = await orderById(context.mysql, report.orderId);
  if (!order) throw new WebhookRefused("orderUnknown");
  if (order.payChannel !== declared.payChannel)
    throw new WebhookRefused("channel", `the order's is ${order.payChannel}`);
  if (order.amount !== report.amount)
    throw new WebhookRefused("amount", `${report.amount} instead of ${order.amount} fen`);
}

/** The change of state, its messages and the audit row, in one transaction. */
function apply(context: PaymentContext, delivery: Delivery, report: ProviderReport): Promise<Outcome> {
  const { open, raw, requestId } = delivery;
  return context.mysql.transaction(async (tx) => {
    const outcome = await settle(context, tx, report, requestId);
    if (outcome.parked) await parkOrder(tx, report.orderId, outcome.parked, report.transactionId);
    await insertWebhook(tx, recordOf(open.declared.name, raw, report, outcome, requestId));
    context.steps.beforeCommit?.(report.orderId);
    return outcome;
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
    "money of a payment went back, and the provider does not tell how much: look there; no coins were taken",
  refundFailed: "coins were taken back and the money did not go back: refund it at the provider by hand",
  paidTwice: "an order was paid a second time and credited once: refund this transaction at the provider",
};

function log(context: PaymentContext, { open, requestId }: Delivery, report: ProviderReport, outcome: Outcome): void {
  const { orderId, webhookId, transactionId, amount } = report;
  const channel = open.declared.name;
  const about = { channel, orderId, webhookId, transactionId, amount, ...outcome, requestId };
  if (outcome.parked) context.logger.error(about, operatorsTask[outcome.parked]);
  else context.logger.info(about, "webhook taken");
}
