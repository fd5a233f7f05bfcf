import type { BillLine } from "../../../../services/payment/payment.contract.ts";
import type { PaymentProvider, ProviderSurroundings } from "../../../../services/payment/providers/provider.ts";
import { WebhookRefused } from "../../../../services/payment/providers/report.ts";

interface Payment {
  readonly orderId: string;
  /** Fen. */
  readonly amount: number;
  readonly webhookUrl: string;
  state: "open" | "paid" | "closed" | "refunded";
}

/** The provider's own book, by order id: what a test pays in. */
export const book = new Map<string, Payment>();

const transactionOf = (orderId: string) => `made-up-${orderId}`;
const paidAt = new Date("2026-01-02T03:04:05.678Z");

/** The body of its webhook about an order as it stands. */
export function webhookOf(orderId: string): string {
  const { amount, state } = book.get(orderId) as Payment;
  return JSON.stringify({ orderId, amount, state });
}

export const readBill = (file: Buffer): BillLine[] => {
  const lines = file.toString("utf8").split("\n").filter(Boolean);
  return lines.map((line) => {
    if (!line.startsWith("{")) throw new RangeError("a line that is no JSON");
    return JSON.parse(line) as BillLine;
  });
};

export function open({ settings, webhookUrl }: ProviderSurroundings): PaymentProvider {
  return {
    async createPayment({ orderId, amount }) {
      book.set(orderId, { orderId, amount, webhookUrl, state: "open" });
      return { payUrl: `https://made-up.example/${settings.MADE_UP_SHOP}/${orderId}` };
    },
    readWebhook({ headers, body }, now) {
      if (headers["x-made-up-key"] !== settings.MADE_UP_KEY) throw new WebhookRefused("signature");
      const { orderId, amount, state } = JSON.parse(body);
      const common = { webhookId: `${state}-${orderId}`.slice(0, 64), orderId, transactionId: transactionOf(orderId) };
      if (state === "refunded") return { ...common, amount, refundAmount: amount, status: "refunded", time: now };
      return { ...common, amount, status: state === "paid" ? "paid" : "other", time: now };
    },
    answer: ({ outcome }, httpStatus) => ({
      httpStatus: outcome === "refused" ? httpStatus : 200,
      contentType: "text/plain",
      body: outcome,
    }),
    async queryOrder(orderId) {
      const { state, amount } = book.get(orderId) ?? { state: "unknown" as const, amount: 0 };
      if (state !== "paid" && state !== "refunded") return { status: state };
      return { status: state, amount, refundAmount: amount, transactionId: transactionOf(orderId), time: paidAt };
    },
    async closeOrder(orderId) {
      const payment = book.get(orderId);
      if (payment?.state === "open") payment.state = "closed";
    },
    async refund({ orderId }) {
      (book.get(orderId) as Payment).state = "refunded";
      return "done";
    },
    async bill() {
      return [...book.values()].flatMap(({ orderId, amount, state }): BillLine[] => {
        const paid = { kind: "paid" as const, orderId, transactionId: transactionOf(orderId), amount };
        if (state === "refunded") return [paid, { ...paid, kind: "refunded" }];
        return state === "paid" ? [paid] : [];
      });
    },
  };
}
