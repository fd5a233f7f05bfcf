import { type Queryable, type Transaction, toSafeInteger } from "../../../mixins/mysql/database.ts";
import { stateOf } from "../order-state.ts";
import type { Difference } from "../payment.contract.ts";
import type { ComparedOrder } from "./compare.ts";

interface Row {
  order_id: string;
  status: number;
  transaction_id: string | null;
  amount: string;
  coins: string;
  of_the_day: number;
  never_credited: number;
}

function comparedOf(row: Row): ComparedOrder {
  return {
    orderId: row.order_id,
    state: stateOf(row.status),
    transactionId: row.transaction_id,
    amount: toSafeInteger(row.amount),
    coins: toSafeInteger(row.coins),
    ofTheDay: Number(row.of_the_day) === 1,
    neverCredited: Number(row.never_credited) === 1,
  };
}

/** An order that was refunded without a credit has the mark neverCredited. */
const columns = `o.order_id, o.status, o.transaction_id, o.amount, o.coins,
  COALESCE(o.pay_time >= ? AND o.pay_time < ?, 0) AS of_the_day,
  EXISTS (SELECT 1 FROM t_pay_parked p WHERE p.order_id = o.order_id AND p.reason = 'neverCredited') AS never_credited`;

/** Orders of a channel that were paid in a span of time. */
export async function ordersPaid(db: Queryable, payChannel: number, from: Date, to: Date): Promise<ComparedOrder[]> {
  const rows = await db.query<Row>(
    `SELECT ${columns} FROM t_pay_order o WHERE o.pay_channel = ? AND o.pay_time >= ? AND o.pay_time < ?`,
    [from, to, payChannel, from, to],
  );
  return rows.map(comparedOf);
}

export async function ordersNamed(
  db: Queryable,
  orderIds: readonly string[],
  from: Date,
  to: Date,
): Promise<ComparedOrder[]> {
  if (orderIds.length === 0) return [];
  const rows = await db.query<Row>(`SELECT ${columns} FROM t_pay_order o WHERE o.order_id IN (?)`, [
    from,
    to,
    orderIds,
  ]);
  return rows.map(comparedOf);
}

/** Replaces the stored differences of a day and channel. */
export async function replaceDifferences(
  tx: Transaction,
  date: string,
  channel: string,
  differences: readonly Difference[],
): Promise<void> {
  await tx.run("DELETE FROM t_pay_difference WHERE bill_date = ? AND channel = ?", [date, channel]);
  for (const { kind, orderId, transactionId, detail } of differences)
    await tx.run("INSERT INTO t_pay_difference SET ?, create_time = UTC_TIMESTAMP(3)", [
      {
        bill_date: date,
        channel,
        kind,
        order_id: orderId,
        transaction_id: transactionId,
        detail: detail.slice(0, 200),
      },
    ]);
}
