import { orderIdOf } from "../../order.ts";
import type { BillLine } from "../../payment.contract.ts";
import { fenOf } from "../../yuan.ts";
import { billLine, tableOf } from "../csv-bill.ts";
import { unzip } from "./zip.ts";

const isHeading = (line: string) => /^支付宝交易号\s*,商户订单号\s*,业务类型/.test(line);

/** Amounts of refunds are negative in the file. */
function fen(text: string | undefined): number | null {
  return fenOf((text ?? "").replace(/^-/, ""));
}

/**
 * A trade bill of Alipay: a ZIP archive with the trades and their sum, each a table in GBK between lines that begin
 * with #. Each refund of a trade, whole or in part, is a row of its own with the number of its request
 * (https://opendocs.alipay.com/open/204/106262).
 * @throws RangeError where it is not one.
 */
export function readAlipayBill(archive: Buffer, maxBytes: number): BillLine[] {
  const texts = unzip(archive, maxBytes).map((file) => new TextDecoder("gbk").decode(file));
  const trades = texts.find((text) => text.split(/\r?\n/).some(isHeading));
  if (trades === undefined) throw new RangeError("an archive without a table of trades");
  const rows = tableOf(trades, isHeading, (line) => (line.startsWith("#") || line === "" ? null : line.split(",")));
  return rows.flatMap((row): BillLine[] => {
    const common = { orderId: orderIdOf(row.商户订单号 ?? ""), transactionId: row.支付宝交易号 ?? "" };
    const amount = fen(row["订单金额（元）"]);
    if (row.业务类型 === "交易") return [billLine({ ...common, kind: "paid", amount })];
    if (row.业务类型 !== "退款") return [];
    return [billLine({ ...common, kind: "refunded", amount, refundId: row["退款批次号/请求号"] })];
  });
}
