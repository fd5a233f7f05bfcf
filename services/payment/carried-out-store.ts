import type { Transaction } from "../../mixins/mysql/database.ts";

/** SQL of staff's moves that were carried out here. Both take the transaction that holds the order's lock. */

/** Whether a move has been carried out on this order. */
export async function wasCarriedOut(tx: Transaction, moveId: string, orderId: string): Promise<boolean> {
  const rows = await tx.query("SELECT 1 FROM t_pay_carried_out WHERE move_id = ? AND order_id = ?", [
    ...[moveId, orderId],
  ]);
  return rows.length > 0;
}

/** Notes that it is, in the transaction that does it. Fails with a duplicate key where it was, on another order. */
export async function noteCarriedOut(tx: Transaction, moveId: string, orderId: string): Promise<void> {
  await tx.run("INSERT INTO t_pay_carried_out (move_id, order_id, create_time) VALUES (?, ?, UTC_TIMESTAMP(3))", [
    moveId,
    orderId,
  ]);
}
