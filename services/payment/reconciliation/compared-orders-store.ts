import { limits } from "../../../config/limits.ts";
import { type Queryable, toSafeInteger } from "../../../mixins/mysql/database.ts";
import { stateOf } from "../order-state.ts";
import type { RefundState } from "../refunds/refund-state.ts";
import type { ComparedOrder } from "./compare.ts";

/** A span of time, from its beginning up to its end, which is not of it. */
export interface Span {
  readonly from: Date;
  readonly to: Date;
}

interface Row {
  order_id: string;
  status: number;
  transaction_id: string | null;
  amount: string;
  coins: string;
  of_the_day: number;
  never_credited: number;
  refund_state: RefundState | null;
  refund_amount: string | null;
  is_expected: number;
  is_made: number;
}

function comparedOf(row: Row): ComparedOrder {
  const refund =
    row.refund_state === null ? null : { state: row.refund_state, amount: toSafeInteger(row.refund_amount) };
  return {
    orderId: row.order_id,
    state: stateOf(row.status),
    transactionId: row.transaction_id,
    amount: toSafeInteger(row.amount),
    coins: toSafeInteger(row.coins),
    ofTheDay: Number(row.of_the_day) === 1,
    neverCredited: Number(row.never_credited) === 1,
    refund: refund && { ...refund, isExpected: Number(row.is_expected) === 1, isMade: Number(row.is_made) === 1 },
  };
}

const earlier = (time: Date) => new Date(time.getTime() - limits.payment.billDayMarginMs);

/** The orders of a channel that were paid, or whose refund was made or is expected in the bills, on a day. */
export async function orderIdsOf(db: Queryable, payChannel: number, { from, to }: Span): Promise<string[]> {
  const rows = await db.query<{ order_id: string }>(
    `SELECT order_id FROM t_pay_order WHERE pay_time >= ? AND pay_time < ? AND pay_channel = ?
     UNION SELECT order_id FROM t_pay_refund WHERE create_time >= ? AND create_time < ? AND pay_channel = ?
     UNION SELECT order_id FROM t_pay_refund WHERE accepted_time >= ? AND accepted_time < ? AND pay_channel = ?`,
    [from, to, payChannel, from, to, payChannel, earlier(from), earlier(to), payChannel],
  );
  return rows.map(({ order_id }) => order_id);
}

/** These orders, as a day's comparison needs them. An order that was refunded without a credit is marked neverCredited. */
export async function comparedOrders(
  db: Queryable,
  orderIds: readonly string[],
  { from, to }: Span,
): Promise<ComparedOrder[]> {
  if (orderIds.length === 0) return [];
  const rows = await db.query<Row>(
    `SELECT o.order_id, o.status, o.transaction_id, o.amount, o.coins,
       COALESCE(o.pay_time >= ? AND o.pay_time < ?, 0) AS of_the_day,
       EXISTS (SELECT 1 FROM t_pay_parked p WHERE p.order_id = o.order_id AND p.reason = 'neverCredited')
         AS never_credited,
       r.state AS refund_state, r.amount AS refund_amount,
       COALESCE(r.accepted_time >= ? AND r.accepted_time < ?, 0) AS is_expected,
       COALESCE(r.create_time < ?, 0) AS is_made
     FROM t_pay_order o LEFT JOIN t_pay_refund r ON r.order_id = o.order_id WHERE o.order_id IN (?)`,
    [from, to, earlier(from), earlier(to), to, orderIds],
  );
  return rows.map(comparedOf);
}

/** When the first order was made; `null` where there is none. */
export async function firstOrderTime(db: Queryable): Promise<Date | null> {
  const [row] = await db.query<{ create_time: Date }>("SELECT create_time FROM t_pay_order ORDER BY id LIMIT 1");
  return row?.create_time ?? null;
}
