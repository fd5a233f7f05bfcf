import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BillLine } from "../../payment.contract.ts";
import type { PaymentProvider, ProviderSurroundings } from "../provider.ts";
import { readCashierBill } from "./cashier-bill.ts";
import { Cashier } from "./cashier-book.ts";
import { readCashierWebhook } from "./cashier-webhook.ts";

export const readBill = (file: Buffer): BillLine[] => readCashierBill(file.toString("utf8"));

/** The sandbox cashier as a payment provider of the merchant. */
export function open({ settings, webhookUrl, pageBase, mysql, logger }: ProviderSurroundings): PaymentProvider {
  const secret = settings.CASHIER_SECRET as string;
  const billFolder = settings.CASHIER_BILL_DIR ?? join(tmpdir(), `${mysql.name}-bills`);
  const cashier = new Cashier({ mysql, logger, secret, pageBase, webhookUrl, billFolder });
  return {
    createPayment: (order, productName) => cashier.collect(order.orderId, productName, order.amount),
    readWebhook: (raw, now) => readCashierWebhook(secret, raw, now),
    answer({ outcome, reason }, httpStatus) {
      const refused = outcome === "refused";
      return {
        httpStatus: refused ? httpStatus : 200,
        contentType: "application/json; charset=utf-8",
        body: JSON.stringify(refused ? { result: "FAIL", reason } : { result: "SUCCESS", note: outcome }),
      };
    },
    queryOrder: (orderId) => cashier.query(orderId),
    closeOrder: (orderId) => cashier.close(orderId),
    async refund({ orderId }) {
      await cashier.refund(orderId);
      return "done";
    },
    bill: (date) => cashier.bill(date),
    page: ({ orderId = "", action = "" }, press) => (press ? cashier.press(orderId, action) : cashier.page(orderId)),
    stop: () => cashier.stop(),
  };
}
