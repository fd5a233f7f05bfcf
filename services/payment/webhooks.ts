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

/** A webhook call while it is handled here. */
interface Delivery {
  readonly open: OpenProvider;
  readonly raw: RawWebhook;
  readonly requestId: string | null;
}

/**
 * Handles a provider's webhook: verifies it, applies it at most once, and always writes an audit row (for webhooks that
 * are not genuine a bounded number in a minute, since anybody can send them). Its changes are committed when this
 * returns. Fails: unavailable; then nothing was changed, or a repeat finds the change.
 */
export async function takeWebhook(context: PaymentContext, delivery: Delivery): Promise<WebhookAnswer> {
  const { provider } = delivery.open;
  const { outcome, httpStatus } = await judge(context, delivery, () => provider.readWebhook(delivery.raw, new Date()));
  return provider.answer(outcome, httpStatus);
}

/**
 * Handles a provider's answer about an order like a webhook: of an answer and a webhook at once, one changes the order.
 * Fails: unavailable.
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
    await context.seals.transaction(context.mysql, (tx, sealing) =>
      insertWebhook(tx, recordOf(channel, raw, report, outcome, requestId), sealing),
    );
  const about = { channel, ip: raw.ip, orderId: report?.orderId, reason: refused.message, requestId };
  if (report)
    context.logger.error(about, "a genuine webhook does not match its order: check the payment at the provider");
  else context.logger.warn(about, "a webhook is not genuine: nothing was changed");
  return { outcome: { ...outcome, reason: refused.refusal }, httpStatus: refusalStatus[refused.refusal] };
}

/** @throws WebhookRefused where a genuine report does not match its order. The compared values never change. */
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

/** Writes the change of state, its messages and the audit row, in one transaction. */
function apply(context: PaymentContext, delivery: Delivery, report: ProviderReport): Promise<Outcome> {
  const { open, raw, requestId } = delivery;
  return context.seals.transaction(context.mysql, async (tx, sealing) => {
    // Before the order is locked: a repeat at the same time waits for as few statements as possible.
    await sealing.time();
    const outcome = await settle(context, tx, report, requestId);
    if (outcome.parked) await parkOrder(tx, report.orderId, outcome.parked, report.transactionId);
    await insertWebhook(tx, recordOf(open.declared.name, raw, report, outcome, requestId), sealing);
    context.steps.beforeCommit?.(report.orderId);
    return outcome;
  });
}

const operatorsTask: Readonly<Record<Parked, string>> = {
  topicMissing:
    "a paid order is not credited yet: give its biz code a topic (topic/set), then it is credited by itself",
  creditHeld:
    "a payment was refunded, wholly or in part, before it was credited, so it is not credited: find out at the provider how much, then release the order or refund it",
  creditChanged:
    "a paid order is not as payment wrote it, so it is not credited: find out who writes to t_pay_order; then repair its row and release it, or refund it",
  paidWhenClosed: "a closed order was paid and not credited: refund the payment at the provider",
  refundPartial: "a part of a payment was refunded and no coins were taken back: settle it by hand",
  refundUnclear:
    "a payment was refunded by an unknown amount and no coins were taken back: find out the amount at the provider",
  refundFailed: "coins were taken back and the money was not refunded: refund it at the provider by hand",
  refundChanged:
    "a refunded order is not as payment wrote it, so no coins were taken back: find out who writes to t_pay_order; then repair its row and refund it",
  paidTwice: "an order was paid a second time and credited once: refund this transaction at the provider",
};

function log(context: PaymentContext, { open, requestId }: Delivery, report: ProviderReport, outcome: Outcome): void {
  const { orderId, webhookId, transactionId, amount } = report;
  const channel = open.declared.name;
  const about = { channel, orderId, webhookId, transactionId, amount, ...outcome, requestId };
  if (outcome.parked) context.logger.error(about, operatorsTask[outcome.parked]);
  else context.logger.info(about, "webhook taken");
}
