import { orderIdOf } from "../../order.ts";
import type { BillLine } from "../../payment.contract.ts";
import { fenOf } from "../../yuan.ts";
import { billLine, tableOf } from "../csv-bill.ts";

/** A field of a row, which must exist; @throws RangeError */
function field(row: Record<string, string>, name: string): string {
  const value = row[name];
  if (value === undefined) throw new RangeError(`a bill without ${name}`);
  return value;
}

/**
 * A trade bill of WeChat Pay (bill_type ALL): every value after a back-tick, a summary at the end. A refund is in the
 * bill of the day on which WeChat Pay accepted it, whatever its status column has: PROCESSING is a refund that is paid
 * out (https://pay.weixin.qq.com/docs/partner/products/bill-download/introduction/fund-bill.html,
 * https://pay.weixin.qq.com/wiki/doc/api/wxpay/ch/faq/Reconciliation.shtml). A part of a payment is a row of its own.
 * @throws RangeError where it is not one.
 */
export function readWechatBill(text: string): BillLine[] {
  const isHeading = (line: string) => line.startsWith("交易时间,");
  const rows = tableOf(text, isHeading, (line) => (line.startsWith("`") ? line.slice(1).split(",`") : null));
  // The sums are last: a truncated file has none.
  if (!/^总交易单数,/m.test(text)) throw new RangeError("an incomplete bill");
  return rows.flatMap((row): BillLine[] => {
    const common = { orderId: orderIdOf(field(row, "商户订单号")), transactionId: field(row, "微信订单号") };
    if (field(row, "交易状态") === "SUCCESS")
      return [billLine({ ...common, kind: "paid", amount: fenOf(field(row, "订单金额")) })];
    if (field(row, "交易状态") === "REFUND")
      return [
        billLine({
          ...common,
          kind: "refunded",
          amount: fenOf(field(row, "申请退款金额")),
          refundId: row.微信退款单号,
        }),
      ];
    return [];
  });
}
