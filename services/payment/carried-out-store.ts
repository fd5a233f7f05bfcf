import type { Transaction } from "../../mixins/mysql/database.ts";

/** SQL of staff's proposals that were carried out here. Both take the transaction that holds the order's lock. */

/** Whether a proposal has been carried out on this order. */
export async function wasCarriedOut(tx: Transaction, proposalId: string, orderId: string): Promise<boolean> {
  const rows = await tx.query("SELECT 1 FROM t_pay_carried_out WHERE proposal_id = ? AND order_id = ?", [
    ...[proposalId, orderId],
  ]);
  return rows.length > 0;
}

/** Notes that it is, in the transaction that does it. Fails with a duplicate key where it was, on another order. */
export async function noteCarriedOut(tx: Transaction, proposalId: string, orderId: string): Promise<void> {
  await tx.run("INSERT INTO t_pay_carried_out (proposal_id, order_id, create_time) VALUES (?, ?, UTC_TIMESTAMP(3))", [
    proposalId,
    orderId,
  ]);
}
