import { type Database, type Queryable, toSafeInteger } from "../../../mixins/mysql/database.ts";
import type { BillLine } from "../payment.contract.ts";

/** Stores lines of a bill from number `from` on; from 0 on they replace all stored lines. */
export async function keepBillLines(
  db: Database,
  { date, channel, from, lines }: { date: string; channel: string; from: number; lines: readonly BillLine[] },
): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.run("DELETE FROM t_pay_bill_line WHERE bill_date = ? AND channel = ? AND line_no >= ?", [
      ...[date, channel, from],
    ]);
    if (lines.length === 0) return;
    const rows = lines.map(({ kind, orderId, transactionId, amount, refundId = "" }, at) => {
      return [date, channel, from + at, kind, orderId, transactionId, amount, refundId];
    });
    await tx.run(
      `INSERT INTO t_pay_bill_line (bill_date, channel, line_no, kind, order_id, transaction_id, amount, refund_id)
       VALUES ?`,
      [rows],
    );
  });
}

/** The stored lines of a bill. */
export async function handedInBill(db: Queryable, date: string, channel: string): Promise<BillLine[]> {
  const rows = await db.query<{
    kind: "paid" | "refunded";
    order_id: string;
    transaction_id: string;
    amount: string;
    refund_id: string;
  }>(
    `SELECT kind, order_id, transaction_id, amount, refund_id FROM t_pay_bill_line
     WHERE bill_date = ? AND channel = ? ORDER BY line_no`,
    [date, channel],
  );
  return rows.map((row) => ({
    kind: row.kind,
    orderId: row.order_id,
    transactionId: row.transaction_id,
    amount: toSafeInteger(row.amount),
    ...(row.refund_id === "" ? {} : { refundId: row.refund_id }),
  }));
}
