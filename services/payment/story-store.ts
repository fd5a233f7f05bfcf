import { limits } from "../../config/limits.ts";
import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";
import type { Effect } from "./messages.ts";
import { providers } from "./providers.contract.ts";
import type { PayOrderStory, StaffPayOrder, StoredWebhook } from "./staff.contract.ts";

/** SQL by which staff look up orders, each statement by an index and bounded. */

interface OrderRow {
  id: string;
  order_id: string;
  user_id: string;
  product_id: string;
  product_name: string | null;
  source: number;
  pay_channel: number;
  status: number;
  amount: string;
  coins: string;
  transaction_id: string | null;
  create_time: Date;
  pay_time: Date | null;
  refund_time: Date | null;
  refund_reason: string | null;
}

const orders = `SELECT o.id, o.order_id, o.user_id, o.product_id, p.name AS product_name, o.source, o.pay_channel,
    o.status, o.amount, o.coins, o.transaction_id, o.create_time, o.pay_time, o.refund_time, o.refund_reason
  FROM t_pay_order o LEFT JOIN t_pay_product p ON p.id = o.product_id`;

function staffOrder(row: OrderRow): StaffPayOrder {
  return {
    orderId: row.order_id,
    userId: String(row.user_id),
    productId: toSafeInteger(row.product_id),
    productName: row.product_name,
    source: row.source,
    payChannel: row.pay_channel,
    status: row.status,
    amount: toSafeInteger(row.amount),
    coins: toSafeInteger(row.coins),
    transactionId: row.transaction_id,
    createTime: row.create_time.toISOString(),
    payTime: row.pay_time?.toISOString() ?? null,
    refundTime: row.refund_time?.toISOString() ?? null,
    refundReason: row.refund_reason,
  };
}

/** A user's orders with ids below the cursor, newest first. */
export async function ordersOfUser(
  db: Queryable,
  { userId, cursor, limit }: { userId: string; cursor?: string | undefined; limit: number },
): Promise<{ list: StaffPayOrder[]; nextCursor: string | null }> {
  const rows = await db.query<OrderRow>(
    `${orders} WHERE o.user_id = ? ${cursor === undefined ? "" : "AND o.id < ?"} ORDER BY o.id DESC LIMIT ?`,
    [userId, ...(cursor === undefined ? [] : [cursor]), limit + 1],
  );
  const page = rows.slice(0, limit);
  return { list: page.map(staffOrder), nextCursor: rows.length > limit ? String(page.at(-1)?.id) : null };
}

/** The orders that a payment paid, and those that the reports about it named. */
export async function ordersOfTransaction(db: Queryable, transactionId: string): Promise<StaffPayOrder[]> {
  // The unique key begins with the channel, of which there are a few.
  const channels = providers.map(({ payChannel }) => payChannel);
  const most = limits.lookup.ordersFound;
  const paid = await db.query<OrderRow>(
    `${orders} WHERE o.pay_channel IN (?) AND o.transaction_id = ? ORDER BY o.id LIMIT ?`,
    [channels, transactionId, most],
  );
  const named = await db.query<{ order_id: string | null }>(
    "SELECT order_id FROM t_pay_webhook WHERE transaction_id = ? ORDER BY id LIMIT ?",
    [transactionId, most],
  );
  const known = new Set(paid.map(({ order_id }) => order_id));
  const others = [...new Set(named.flatMap(({ order_id }) => (order_id === null ? [] : [order_id])))].filter(
    (orderId) => !known.has(orderId),
  );
  const more =
    others.length === 0 ? [] : await db.query<OrderRow>(`${orders} WHERE o.order_id IN (?) ORDER BY o.id`, [others]);
  return [...paid, ...more].map(staffOrder);
}

/** An order of any user with its product's name; `undefined` where there is none. */
export async function staffOrderById(db: Queryable, orderId: string): Promise<StaffPayOrder | undefined> {
  const [row] = await db.query<OrderRow>(`${orders} WHERE o.order_id = ?`, [orderId]);
  return row && staffOrder(row);
}

/** The oldest rows of a list, and whether there are more. */
function oldest<Row>(rows: readonly Row[]): { rows: readonly Row[]; cut: boolean } {
  return { rows: rows.slice(0, limits.lookup.storyRows), cut: rows.length > limits.lookup.storyRows };
}

const asked = "asked";

/** What stands beside an order. */
export async function partsOfOrder(db: Queryable, orderId: string): Promise<Omit<PayOrderStory, "order" | "messages">> {
  const most = limits.lookup.storyRows + 1;
  const webhooks = oldest(
    await db.query<Omit<StoredWebhook, "time" | "transactionId" | "amount" | "asked"> & WebhookColumns>(
      `SELECT create_time, channel, outcome, reason, transaction_id, amount, ip FROM t_pay_webhook
       WHERE order_id = ? ORDER BY id LIMIT ?`,
      [orderId, most],
    ),
  );
  const marks = oldest(
    await db.query<{ reason: string; transaction_id: string; create_time: Date }>(
      `SELECT reason, transaction_id, create_time FROM t_pay_parked WHERE order_id = ?
       ORDER BY create_time, reason, transaction_id LIMIT ?`,
      [orderId, most],
    ),
  );
  const differences = oldest(
    await db.query<DifferenceColumns>(
      `SELECT DATE_FORMAT(bill_date, '%Y-%m-%d') AS date, channel, kind, detail, create_time, resolve_time,
         resolve_reason FROM t_pay_difference WHERE order_id = ? ORDER BY id LIMIT ?`,
      [orderId, most],
    ),
  );
  const messages = await db.query<{ effect: Effect; next_time: Date; asked: number; again: number }>(
    "SELECT effect, next_time, asked, again FROM t_pay_message_watch WHERE order_id = ? ORDER BY effect",
    [orderId],
  );
  const [watch] = await db.query<{ next_time: Date; expire_time: Date; asked: number }>(
    "SELECT next_time, expire_time, asked FROM t_pay_watch WHERE order_id = ?",
    [orderId],
  );
  return {
    webhooks: webhooks.rows.map((row) => ({
      ...{ time: row.create_time.toISOString(), channel: row.channel, outcome: row.outcome, reason: row.reason },
      transactionId: row.transaction_id,
      amount: row.amount === null ? null : toSafeInteger(row.amount),
      asked: row.ip === asked,
    })),
    marks: marks.rows.map((row) => ({
      ...{ mark: row.reason, transactionId: row.transaction_id || null, since: row.create_time.toISOString() },
    })),
    unconfirmed: messages.map(({ next_time, ...row }) => ({ ...row, nextTime: next_time.toISOString() })),
    watch: watch
      ? { nextTime: watch.next_time.toISOString(), expireTime: watch.expire_time.toISOString(), asked: watch.asked }
      : null,
    refund: await refundOf(db, orderId),
    differences: differences.rows.map(({ create_time, resolve_time, resolve_reason, ...row }) => ({
      ...row,
      ...{ time: create_time.toISOString(), resolvedTime: resolve_time?.toISOString() ?? null },
      resolveReason: resolve_reason,
    })),
    cut: webhooks.cut || marks.cut || differences.cut,
  };
}

interface WebhookColumns {
  create_time: Date;
  transaction_id: string | null;
  amount: string | null;
  ip: string;
}

interface DifferenceColumns {
  date: string;
  channel: string;
  kind: string;
  detail: string;
  create_time: Date;
  resolve_time: Date | null;
  resolve_reason: string | null;
}

async function refundOf(db: Queryable, orderId: string): Promise<PayOrderStory["refund"]> {
  const [row] = await db.query<{
    state: string;
    origin: string;
    amount: string;
    reason: string;
    attempts: number;
    problem: string | null;
    create_time: Date;
    accepted_time: Date | null;
    update_time: Date;
  }>(
    `SELECT state, origin, amount, reason, attempts, problem, create_time, accepted_time, update_time
     FROM t_pay_refund WHERE order_id = ?`,
    [orderId],
  );
  if (!row) return null;
  const { create_time, accepted_time, update_time, amount, ...refund } = row;
  return {
    ...refund,
    amount: toSafeInteger(amount),
    time: create_time.toISOString(),
    acceptedTime: accepted_time?.toISOString() ?? null,
    updateTime: update_time.toISOString(),
  };
}
