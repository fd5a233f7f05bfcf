import type { Cashier } from "../cashier/cashier.ts";
import { cashierMerchant, parseNotice, verifySignature } from "../cashier/cashier-notice.ts";
import { NoticeRefused } from "../notice-record.ts";
import type { PaymentProvider } from "./provider.ts";

const says = { PAID: "paid", CANCELLED: "cancelled", REFUNDED: "refunded" } as const;

/** The sandbox cashier seen from the merchant's side. */
export function cashierProvider(secret: string, cashier: Cashier): PaymentProvider {
  return {
    channel: "cashier",
    kind: "page",
    createPayment: (order, productName) => cashier.collect(order.orderId, productName, order.amount),
    readNotice(raw, now) {
      verifySignature(secret, raw.headers, raw.body, now.getTime());
      const notice = parseNotice(raw.body);
      if (notice.merchant !== cashierMerchant) throw new NoticeRefused("merchant");
      if (notice.currency !== "CNY") throw new NoticeRefused("currency");
      return {
        noticeId: notice.noticeId,
        orderId: notice.orderId,
        transactionId: notice.transactionId,
        amount: notice.amount,
        says: says[notice.status],
        refundAmount: notice.refundAmount,
        time: new Date(notice.time),
      };
    },
    answer(verdict, status) {
      const answer =
        verdict.outcome === "refused"
          ? { result: "FAIL", reason: verdict.reason }
          : { result: "SUCCESS", note: verdict.outcome };
      return {
        httpStatus: verdict.outcome === "refused" ? status : 200,
        contentType: "application/json; charset=utf-8",
        body: JSON.stringify(answer),
      };
    },
    queryOrder: (orderId) => cashier.query(orderId),
    closeOrder: (orderId) => cashier.close(orderId),
    async refund({ orderId }) {
      await cashier.refund(orderId);
      return "done";
    },
    bill: (date) => cashier.bill(date),
  };
}
