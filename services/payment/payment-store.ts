import { type Queryable, type Transaction, toSafeInteger } from "../../mixins/mysql/database.ts";
import { oldTexts } from "../../mixins/retention/old-texts.ts";
import type { KeptRows } from "../../mixins/retention/retention-loop.ts";
import { erasableText } from "../../mixins/seals/erasable-text.ts";
import type { Sealing } from "../../mixins/seals/seal-chains.ts";
import { sealedLedgers } from "../book-seals.ts";
import type { Order } from "./order.ts";
import { type OrderState, orderStatus, stateOf, statusesBefore } from "./order-state.ts";
import type { WebhookRecord } from "./webhook-record.ts";

interface OrderRow {
  order_id: string;
  product_id: string;
  user_id: string;
  source: number;
  pay_channel: number;
  status: number;
  amount: string;
  coins: string;
  biz_code: number;
  transaction_id: string | null;
  pay_time: Date | null;
  terms_mac: string | null;
  paid_mac: string | null;
}

function orderOf(row: OrderRow): Order {
  return {
    orderId: row.order_id,
    productId: toSafeInteger(row.product_id),
    userId: String(row.user_id),
    source: row.source,
    payChannel: row.pay_channel,
    state: stateOf(row.status),
    amount: toSafeInteger(row.amount),
    coins: toSafeInteger(row.coins),
    bizCode: row.biz_code,
    transactionId: row.transaction_id,
    payTime: row.pay_time,
    termsMac: row.terms_mac,
    paidMac: row.paid_mac,
  };
}

export async function insertOrder(db: Queryable, order: Order): Promise<void> {
  await db.run(
    `INSERT INTO t_pay_order (order_id, product_id, user_id, source, pay_channel, status, amount, coins, biz_code,
       terms_mac, create_time, update_time)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    [
      order.orderId,
      order.productId,
      order.userId,
      order.source,
      order.payChannel,
      orderStatus[order.state],
      order.amount,
      order.coins,
      order.bizCode,
      order.termsMac,
    ],
  );
}

export async function orderById(db: Queryable, orderId: string): Promise<Order | null> {
  const [row] = await db.query<OrderRow>("SELECT * FROM t_pay_order WHERE order_id = ?", [orderId]);
  return row ? orderOf(row) : null;
}

/** Those of the orders that exist, by their id. */
export async function ordersById(db: Queryable, orderIds: readonly string[]): Promise<Order[]> {
  if (orderIds.length === 0) return [];
  const rows = await db.query<OrderRow>("SELECT * FROM t_pay_order WHERE order_id IN (?) ORDER BY order_id", [
    orderIds,
  ]);
  return rows.map(orderOf);
}

/** The committed order, locked until the transaction ends. */
export async function lockOrder(tx: Transaction, orderId: string): Promise<Order | null> {
  const [row] = await tx.query<OrderRow>("SELECT * FROM t_pay_order WHERE order_id = ? FOR UPDATE", [orderId]);
  return row ? orderOf(row) : null;
}

interface MoveDetails {
  pay_time?: Date;
  transaction_id?: string;
  paid_mac?: string;
  refund_time?: Date;
  refund_reason?: string;
}

/**
 * Moves an order to a state, if its present state allows it; returns whether it moved. Of many at once, one gets
 * `true`. @throws an error for which `isDuplicateKey` is true, where the provider's transaction has paid another order.
 */
export async function moveOrder(
  db: Queryable,
  orderId: string,
  to: OrderState,
  details: MoveDetails = {},
): Promise<boolean> {
  const changes = { status: orderStatus[to], ...details };
  const header = await db.run(
    "UPDATE t_pay_order SET ?, update_time = UTC_TIMESTAMP(3) WHERE order_id = ? AND status IN (?)",
    [changes, orderId, statusesBefore(to)],
  );
  return header.affectedRows === 1;
}

/** The topic of a biz code; `null` where there is none or it is switched off. */
export async function topicOf(db: Queryable, bizCode: number): Promise<string | null> {
  const [row] = await db.query<{ topic: string }>("SELECT topic FROM t_pay_topic WHERE biz_code = ? AND status = 1", [
    bizCode,
  ]);
  return row?.topic ?? null;
}

/** Adds an audit row of a webhook, with its seal. */
export async function insertWebhook(tx: Transaction, webhook: WebhookRecord, sealing: Sealing): Promise<void> {
  const { text: body, salt, digest } = erasableText(webhook.body);
  const row: Record<(typeof sealedLedgers.webhooks.columns)[number], string | number | null> = {
    channel: webhook.channel,
    outcome: webhook.outcome,
    reason: webhook.reason,
    webhook_id: webhook.webhookId,
    order_id: webhook.orderId,
    transaction_id: webhook.transactionId,
    amount: webhook.amount,
    body_digest: digest,
    request_id: webhook.requestId,
  };
  const time = await sealing.time();
  const { insertId } = await tx.run(
    "INSERT INTO t_pay_webhook SET ?, body = ?, body_salt = ?, ip = ?, create_time = ?",
    [row, body, salt, webhook.ip, time],
  );
  sealing.cover(sealedLedgers.webhooks, insertId, [sealedLedgers.webhooks.columns.map((column) => row[column])], 0n);
}

const eraseBodies = "UPDATE t_pay_webhook SET body = '', body_salt = NULL, ip = '' WHERE";

/** Bodies of webhooks are kept for so many days; 0: for ever. */
export const keptWebhooks = (days: number): KeptRows =>
  oldTexts({
    ...{ table: "t_pay_webhook", text: "body", days },
    erase: (db, ids) => db.run(`${eraseBodies} id IN (?)`, [ids]),
  });

/** Removes the bodies of webhooks about these orders, and the addresses they came from; their seals stay valid. */
export async function eraseWebhooks(db: Queryable, orderIds: readonly string[]): Promise<void> {
  await db.run(`${eraseBodies} order_id IN (?) AND body_salt IS NOT NULL`, [orderIds]);
}

/** Removes why these orders were refunded. */
export async function eraseRefundReasonsOf(db: Queryable, orderIds: readonly string[]): Promise<void> {
  await db.run("UPDATE t_pay_order SET refund_reason = NULL WHERE order_id IN (?)", [orderIds]);
}
