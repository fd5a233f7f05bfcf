import { limits } from "../../config/limits.ts";
import { readCashierBill } from "./cashier/cashier-bill.ts";
import type { BilledChannel, BillLine } from "./payment.contract.ts";
import { readAlipayBill } from "./providers/alipay/alipay-bill.ts";
import { readWechatBill } from "./providers/wechat/wechat-bill.ts";

export type { BilledChannel };

const readers: Readonly<Record<BilledChannel, (file: Buffer) => BillLine[]>> = {
  wechat: (file) => readWechatBill(file.toString("utf8")),
  alipay: (file) => readAlipayBill(file, limits.payment.providerBillBytes),
  cashier: (file) => readCashierBill(file.toString("utf8")),
};

export function isBilledChannel(name: string): name is BilledChannel {
  return Object.hasOwn(readers, name);
}

/**
 * The lines of a bill as its provider has it for download.
 * @throws RangeError where it is not one.
 */
export function readBill(channel: BilledChannel, file: Buffer): BillLine[] {
  return readers[channel](file);
}
