import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";

/** The SQL of the orders that were paid in each minute. */

export interface PaidSums {
  readonly paidOrders: number;
  readonly chargedCoins: number;
}

/** By the minute's ISO text, from `first` on: the entries of idx_pay_time and their rows. */
export async function paidSince(db: Queryable, first: Date): Promise<Map<string, PaidSums>> {
  const rows = await db.query<{ minute: string; orders: string; coins: string }>(
    `SELECT DATE_FORMAT(pay_time, '%Y-%m-%dT%H:%i:00.000Z') AS minute, COUNT(*) AS orders, SUM(coins) AS coins
     FROM t_pay_order FORCE INDEX (idx_pay_time) WHERE pay_time >= ? GROUP BY minute`,
    [first],
  );
  return new Map(
    rows.map(({ minute, orders, coins }) => [
      minute,
      { paidOrders: toSafeInteger(orders), chargedCoins: toSafeInteger(coins) },
    ]),
  );
}
