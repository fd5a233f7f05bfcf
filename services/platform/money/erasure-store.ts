import type { Queryable } from "../../../mixins/mysql/database.ts";
import { orderStates } from "./order-state.ts";

/** SQL of the erasure of a user. Orders and their outcomes stay. */

const { proposed, pending } = orderStates;

/** Whether an order about the user waits for a decision, or is on its way to the wallet. */
export async function hasOpenOrder(db: Queryable, userId: string): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 AS one FROM t_money_order o JOIN t_money_state s ON s.order_id = o.id
     WHERE o.user_id = ? AND (s.state = ? OR (s.state = ? AND s.expires_time > UTC_TIMESTAMP(3))) LIMIT 1`,
    [userId, pending, proposed],
  );
  return rows.length > 0;
}
