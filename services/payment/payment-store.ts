import { limits } from "../../config/limits.ts";
import { type Queryable, type Transaction, toSafeInteger } from "../../mixins/mysql/database.ts";
import { topicPattern } from "./messages.ts";
import type { NoticeRecord } from "./notice-record.ts";
import type { Order, Parked } from "./order.ts";
import { type OrderState, orderStatus, stateOf, statusesBefore } from "./order-state.ts";

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
  parked: Parked | null;
  pay_time: Date | null;
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
    parked: row.parked,
    payTime: row.pay_time,
  };
}

export async function insertOrder(db: Queryable, order: Order): Promise<void> {
  await db.run(
    `INSERT INTO t_pay_order (order_id, product_id, user_id, source, pay_channel, status, amount, coins, biz_code,
       create_time, update_time)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
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
    ],
  );
}

export async function orderById(db: Queryable, orderId: string): Promise<Order | null> {
  const [row] = await db.query<OrderRow>("SELECT * FROM t_pay_order WHERE order_id = ?", [orderId]);
  return row ? orderOf(row) : null;
}

/** The order as committed, held until the transaction ends. */
export async function lockOrder(tx: Transaction, orderId: string): Promise<Order | null> {
  const [row] = await tx.query<OrderRow>("SELECT * FROM t_pay_order WHERE order_id = ? FOR UPDATE", [orderId]);
  return row ? orderOf(row) : null;
}

interface MoveDetails {
  pay_time?: Date;
  transaction_id?: string;
  refund_time?: Date;
  refund_reason?: string;
  parked?: Parked | null;
}

/**
 * Moves an order to a state, where its state allows that; whether it did. Of many at once, one is told `true`.
 * @throws an error that `isDuplicateKey` knows, where the provider's transaction has paid another order.
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

/** Marks an order for somebody to look at; the first mark stays. */
export async function parkOrder(db: Queryable, orderId: string, why: Parked): Promise<void> {
  await db.run(
    "UPDATE t_pay_order SET parked = ?, update_time = UTC_TIMESTAMP(3) WHERE order_id = ? AND parked IS NULL",
    [why, orderId],
  );
}

/** How many orders are parked, by reason; no more than `limits.metrics.countedRows` are counted. */
export async function parkedOrders(db: Queryable): Promise<Map<Parked, number>> {
  const rows = await db.query<{ why: Parked; orders: string }>(
    `SELECT parked AS why, COUNT(*) AS orders
     FROM (SELECT parked FROM t_pay_order WHERE parked IS NOT NULL LIMIT ?) AS counted GROUP BY parked`,
    [limits.metrics.countedRows],
  );
  return new Map(rows.map(({ why, orders }) => [why, Number(orders)]));
}

/** The topic of a biz code; `null` where there is none or it is off. */
export async function topicOf(db: Queryable, bizCode: number): Promise<string | null> {
  const [row] = await db.query<{ topic: string }>("SELECT topic FROM t_pay_topic WHERE biz_code = ? AND status = 1", [
    bizCode,
  ]);
  return row?.topic ?? null;
}

/** Paid orders that found no topic when they were paid and would find one now. */
export async function ordersToRelease(db: Queryable, limit: number): Promise<string[]> {
  const rows = await db.query<{ order_id: string }>(
    `SELECT o.order_id FROM t_pay_order o JOIN t_pay_topic t ON t.biz_code = o.biz_code AND t.status = 1
     WHERE o.parked = 'topicMissing' AND o.status = ? AND t.topic REGEXP ?
     ORDER BY o.id LIMIT ?`,
    [orderStatus.paid, topicPattern, limit],
  );
  return rows.map(({ order_id }) => order_id);
}

/** Takes the mark off an order that the transaction holds. */
export async function unparkOrder(tx: Transaction, orderId: string): Promise<void> {
  await tx.run("UPDATE t_pay_order SET parked = NULL, update_time = UTC_TIMESTAMP(3) WHERE order_id = ?", [orderId]);
}

export async function insertNotice(db: Queryable, notice: NoticeRecord): Promise<void> {
  await db.run("INSERT INTO t_pay_notice SET ?, create_time = UTC_TIMESTAMP(3)", [
    {
      channel: notice.channel,
      outcome: notice.outcome,
      reason: notice.reason,
      notice_id: notice.noticeId,
      order_id: notice.orderId,
      transaction_id: notice.transactionId,
      amount: notice.amount,
      body: notice.body,
      ip: notice.ip,
      request_id: notice.requestId,
    },
  ]);
}
