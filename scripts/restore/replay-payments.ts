import type { NatsConnection } from "nats";
import { config, databaseName, natsPrefix } from "../../config/config.ts";
import type { MessageSignatures } from "../../mixins/jetstream/signatures.ts";
import { findStream } from "../../mixins/jetstream/streams.ts";
import { Database, isDuplicateKey, type Transaction } from "../../mixins/mysql/database.ts";
import type { PaymentTopics } from "../../services/contracts.ts";
import type { Order } from "../../services/payment/order.ts";
import { type OrderMacs, orderMacs } from "../../services/payment/order-macs.ts";
import { isOpen } from "../../services/payment/order-state.ts";
import { paymentTopics } from "../../services/payment/payment.contract.ts";
import { insertOrder, lockOrder, moveOrder } from "../../services/payment/payment-store.ts";
import { safeParse } from "../../services/safe-parse.ts";
import { payKeys, paySignatures } from "../../services/signing-keys.ts";
import { topicStream } from "../../services/streams.ts";
import { messagesFrom } from "./events.ts";
import type { Note } from "./replay-plan.ts";

/**
 * Paid orders that the restored database does not know, or not as paid, from stream PAY. Payment has signed each of
 * them, so no row is made of what nobody paid. It gets the MACs that the payment service gives its own rows.
 */

type PaidOrder = PaymentTopics["pay.recharge"];

/** A genuine message of a paid order; else why it is none. `topic`: without the namespace's prefix. */
export function readPaidOrder(signatures: MessageSignatures, topic: string, text: string): PaidOrder | string {
  const opened = signatures.open(topic, text);
  if ("fault" in opened) return `it is not signed by payment: ${opened.fault}`;
  let body: unknown;
  try {
    body = JSON.parse(opened.body);
  } catch {
    return "it is no JSON";
  }
  const read = safeParse(paymentTopics["pay.recharge"], body);
  return read.success ? read.data : `${read.error.issues[0]?.path.join(".")} is invalid`;
}

/** The row of a paid order; `undefined` where the message, of an earlier release, does not have all of it. */
export function orderOf(paid: PaidOrder, macs: OrderMacs): Order | undefined {
  const { orderId, userId, coins, amount, bizCode, productId, source, payChannel, transactionId } = paid;
  if (productId === undefined || source === undefined || payChannel === undefined || transactionId === undefined)
    return undefined;
  const payTime = new Date(paid.time);
  const terms = { orderId, userId, productId, payChannel, amount, coins, bizCode };
  const payment = { orderId, payChannel, amount, transactionId, payTime };
  return {
    ...{ ...terms, ...payment, source, state: "paid" },
    ...{ termsMac: macs.ofTerms(terms), paidMac: macs.ofPayment(payment) },
  };
}

/** Whether a row has the terms with which it was made, and those of the message. */
function fits(there: Order, order: Order, macs: OrderMacs): boolean {
  const terms = ({ userId, productId, payChannel, amount, coins, bizCode }: Order) =>
    JSON.stringify([userId, productId, payChannel, amount, coins, bizCode]);
  return macs.termsFault(there) === undefined && terms(there) === terms(order);
}

/** Returns whether it was written; a text: why it could not be. */
async function writeOrder(tx: Transaction, order: Order, macs: OrderMacs): Promise<boolean | string> {
  const { orderId, payTime, transactionId, paidMac } = order;
  const there = await lockOrder(tx, orderId);
  if (there && !isOpen(there.state)) return there.state === "paid" || there.state === "refunded" ? false : there.state;
  if (there && !fits(there, order, macs)) return "its row has other terms";
  if (!there) await insertOrder(tx, { ...order, state: "waiting" });
  const details = { pay_time: payTime as Date, transaction_id: transactionId as string, paid_mac: paidMac as string };
  return moveOrder(tx, orderId, "paid", details);
}

export interface ReplayedPayments {
  readonly written: number;
  readonly there: number;
  readonly notes: readonly Note[];
}

/**
 * Makes the paid orders of stream PAY since a time that are missing. A repeat changes nothing. @throws Error where the
 * keys that sign payment's messages are not among the settings
 */
export async function replayPayments(nats: NatsConnection, mysqlUrl: string, since: Date): Promise<ReplayedPayments> {
  const stream = natsPrefix() + topicStream.name;
  let [written, there] = [0, 0];
  const notes: Note[] = [];
  if (!(await findStream(await nats.jetstreamManager(), stream))) return { written, there, notes };
  const [signatures, macs] = [paySignatures(), orderMacs(payKeys(), config().NAMESPACE)];
  const database = new Database(databaseName("payment"), { url: mysqlUrl, connections: 1 });
  try {
    for await (const { subject, data, sequence } of messagesFrom(nats, stream, since)) {
      const topic = subject.slice(natsPrefix().length);
      if (topic === "pay.refund") continue;
      const paid = readPaidOrder(signatures, topic, new TextDecoder().decode(data));
      if (typeof paid === "string") {
        notes.push({ kind: "unreadable", subject: `message ${sequence} of ${stream}`, detail: paid });
        continue;
      }
      const order = orderOf(paid, macs);
      // Its event names it for a person.
      if (!order) continue;
      const outcome = await database
        .transaction((tx) => writeOrder(tx, order, macs))
        .catch((error: unknown) => {
          if (isDuplicateKey(error)) return `its payment ${order.transactionId} has paid another order`;
          throw error;
        });
      if (outcome === true) written++;
      else if (outcome === false) there++;
      else notes.push({ kind: "payment", subject: order.orderId, detail: `not written: ${outcome}` });
    }
    return { written, there, notes };
  } finally {
    await database.close();
  }
}
