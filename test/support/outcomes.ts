import { rows } from "./books.ts";
import { eventually } from "./eventually.ts";

/** What became of gifts, read from the tables of gift and wallet. */
export interface Outcome {
  orderId: string;
  status: "succeeded" | "failed";
  reason: string | null;
  count: number;
  price: number;
}

export interface TradeRow {
  bizId: string;
  userId: string;
  num: number;
  type: number;
  status: number;
  income: number;
}

/** The gift records of these orders, by order id; an order may be missing, or be there twice, which the caller judges. */
export async function recordsOf(orderIds: readonly string[]): Promise<Outcome[]> {
  if (orderIds.length === 0) return [];
  const found = await rows<{ order_id: string; status: number; reason: string | null; count: number; price: string }>(
    "gift",
    "SELECT order_id, status, reason, count, price FROM t_gift_record WHERE order_id IN (?)",
    [orderIds],
  );
  return found.map(({ order_id, status, reason, count, price }) => ({
    ...{ orderId: order_id, status: Number(status) === 1 ? "succeeded" : "failed", reason },
    ...{ count: Number(count), price: Number(price) },
  }));
}

/** Waits until every order has its final word and its one trade; gives the words. */
export async function settledOrders(orderIds: readonly string[], timeoutMs = 20_000): Promise<Outcome[]> {
  const outcomes = await eventually(
    `${orderIds.length} gifts settled`,
    async () => {
      const found = await recordsOf(orderIds);
      return found.length >= orderIds.length ? found : undefined;
    },
    timeoutMs,
  );
  expect(outcomes.map(({ orderId }) => orderId).sort()).toEqual([...orderIds].sort());
  const trades = await tradesOf(orderIds);
  expect(trades.map(({ bizId }) => bizId).sort()).toEqual([...orderIds].sort());
  const moved = new Map(trades.map(({ bizId, num, status }) => [bizId, status === 1 ? -num : 0]));
  for (const { orderId, status, count, price } of outcomes)
    expect([orderId, moved.get(orderId)]).toEqual([orderId, status === "succeeded" ? count * price : 0]);
  return outcomes;
}

/** The ledger's rows of these business ids. */
export async function tradesOf(bizIds: readonly string[]): Promise<TradeRow[]> {
  if (bizIds.length === 0) return [];
  return tradesWhere("biz_id IN (?)", [bizIds]);
}

export function tradesOfUser(userId: string): Promise<TradeRow[]> {
  return tradesWhere("user_id = ?", [userId]);
}

async function tradesWhere(condition: string, values: unknown[]): Promise<TradeRow[]> {
  const found = await rows<{
    biz_id: string;
    user_id: string;
    num: string;
    type: number;
    status: number;
    counterparty_income: string;
  }>(
    "wallet",
    `SELECT biz_id, user_id, num, type, status, counterparty_income FROM t_qiyu_currency_trade
     WHERE ${condition} ORDER BY id`,
    values,
  );
  return found.map((row) => ({
    ...{ bizId: row.biz_id, userId: String(row.user_id), num: Number(row.num), type: Number(row.type) },
    ...{ status: Number(row.status), income: Number(row.counterparty_income) },
  }));
}
