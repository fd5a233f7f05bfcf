import { limits } from "../../../config/limits.ts";
import { type Queryable, type Transaction, toSafeInteger } from "../../../mixins/mysql/database.ts";
import type { BillLine } from "../payment.contract.ts";

/** A refund in a bill. */
export type BillRefund = Pick<BillLine, "orderId" | "transactionId" | "amount" | "refundId">;

/** Stores the refunds of a bill, in the place of those of an earlier reading. */
export async function keepBillRefunds(
  tx: Transaction,
  { date, channel }: { date: string; channel: string },
  refunds: readonly BillRefund[],
): Promise<void> {
  await tx.run("DELETE FROM t_pay_bill_refund WHERE channel = ? AND bill_date = ?", [channel, date]);
  const rows = refunds.map(({ orderId, transactionId, amount, refundId = "" }, at) => {
    return [date, channel, at, orderId, transactionId, amount, refundId];
  });
  const most = limits.payment.billLinesPerCall;
  for (let at = 0; at < rows.length; at += most)
    await tx.run(
      `INSERT INTO t_pay_bill_refund (bill_date, channel, line_no, order_id, transaction_id, amount, refund_id)
       VALUES ?`,
      [rows.slice(at, at + most)],
    );
}

/** The refunds of these orders in the bills of other days. */
export async function refundsOfOtherDays(
  db: Queryable,
  { date, channel }: { date: string; channel: string },
  orderIds: readonly string[],
): Promise<BillRefund[]> {
  if (orderIds.length === 0) return [];
  const rows = await db.query<{ order_id: string; transaction_id: string; amount: string; refund_id: string }>(
    `SELECT order_id, transaction_id, amount, refund_id FROM t_pay_bill_refund
     WHERE order_id IN (?) AND channel = ? AND bill_date <> ? ORDER BY bill_date, line_no`,
    [orderIds, channel, date],
  );
  return rows.map(({ order_id, transaction_id, amount, refund_id }) => ({
    orderId: order_id,
    transactionId: transaction_id,
    amount: toSafeInteger(amount),
    ...(refund_id === "" ? {} : { refundId: refund_id }),
  }));
}
