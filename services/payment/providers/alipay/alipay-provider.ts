import { createPrivateKey, createPublicKey } from "node:crypto";
import { z } from "zod";
import { fail } from "../../../../broker/failure.ts";
import { limits } from "../../../../config/limits.ts";
import { parse } from "../../../safe-parse.ts";
import { orderIdOf, tradeNoOf } from "../../order.ts";
import type { BillLine } from "../../payment.contract.ts";
import { yuan } from "../../yuan.ts";
import type { PaymentProvider, ProviderOrder, ProviderSurroundings } from "../provider.ts";
import { callProvider, downloadFrom } from "../provider-call.ts";
import { WebhookRefused } from "../report.ts";
import { readAlipayBill } from "./alipay-bill.ts";
import { type AlipayAccount, signRequest, verifiedAnswer } from "./alipay-signature.ts";
import { alipayTime, fenOfAlipay, readAlipayWebhook, timeOfAlipay } from "./alipay-webhook.ts";

interface AlipaySetup {
  readonly account: AlipayAccount;
  readonly gateway: string;
}

const answerSchema = z.object({ code: z.string(), sub_code: z.string().max(100).optional() }).loose();
const tradeSchema = z.object({
  out_trade_no: z.string(),
  trade_no: z.string().min(1).max(64),
  trade_status: z.string(),
  total_amount: z.string(),
  send_pay_date: z.string().optional(),
});
const refundSchema = z.object({ out_trade_no: z.string(), refund_fee: z.string() });

const billSchema = z.object({ bill_download_url: z.url() });

type Answer = z.output<typeof answerSchema>;

class AlipayApi {
  private readonly setup: AlipaySetup;

  constructor(setup: AlipaySetup) {
    this.setup = setup;
  }

  /** The fields of a request: the body of a call, or the query of a page's address. */
  request(method: string, content: object, extra: Record<string, string> = {}): Record<string, string> {
    return signRequest(this.setup.account, {
      app_id: this.setup.account.appId,
      method,
      format: "JSON",
      charset: "utf-8",
      sign_type: "RSA2",
      timestamp: alipayTime(new Date()),
      version: "1.0",
      ...extra,
      biz_content: JSON.stringify(content),
    });
  }

  /** A call whose answer is signed by Alipay, whatever its content. Fails: unavailable. */
  async send(method: string, content: object): Promise<Answer> {
    const answer = await callProvider("alipay", `${this.setup.gateway}?charset=utf-8`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded;charset=utf-8" },
      body: new URLSearchParams(this.request(method, content)).toString(),
    });
    return this.verified(method, () => {
      const name = `${method.replaceAll(".", "_")}_response`;
      return parse(answerSchema, JSON.parse(verifiedAnswer(this.setup.account, name, answer.body)));
    });
  }

  /** Fails: unavailable, where the content of Alipay's answer is invalid. */
  verified<T>(method: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof WebhookRefused || error instanceof z.ZodError || error instanceof SyntaxError))
        throw error;
      const why = error instanceof WebhookRefused ? error.message : "an unexpected answer";
      throw fail("unavailable", { channel: "alipay", method, why: `its answer did not verify: ${why}` });
    }
  }

  refused(method: string, { code, sub_code }: Answer): Error {
    return fail("unavailable", { channel: "alipay", method, why: `answered ${code} ${sub_code ?? ""}` });
  }
}

const succeeded = "10000";

async function queryOrder(api: AlipayApi, orderId: string): Promise<ProviderOrder> {
  const method = "alipay.trade.query";
  const answer = await api.send(method, { out_trade_no: tradeNoOf(orderId) });
  if (answer.sub_code === "ACQ.TRADE_NOT_EXIST") return { status: "unknown" };
  if (answer.code !== succeeded) throw api.refused(method, answer);
  return api.verified(method, () => {
    const trade = parse(tradeSchema, answer);
    if (orderIdOf(trade.out_trade_no) !== orderId) throw new WebhookRefused("orderUnknown", "another order");
    if (trade.trade_status === "WAIT_BUYER_PAY") return { status: "open" };
    // Only a paid trade has a time of payment. A closed trade with one has been fully refunded.
    if (trade.send_pay_date === undefined) return { status: "closed" };
    const amount = fenOfAlipay(trade.total_amount);
    const payment = { transactionId: trade.trade_no, amount, time: timeOfAlipay(trade.send_pay_date) };
    if (trade.trade_status === "TRADE_CLOSED") return { status: "refunded", ...payment, refundAmount: amount };
    return { status: "paid", ...payment };
  });
}

export const readBill = (file: Buffer): BillLine[] => readAlipayBill(file, limits.payment.providerBillBytes);

/** The day's bill: a signed answer has its address, and the file is downloaded from there. */
async function fetchBill(api: AlipayApi, date: string): Promise<BillLine[] | null> {
  const method = "alipay.data.dataservice.bill.downloadurl.query";
  const answer = await api.send(method, { bill_type: "trade", bill_date: date });
  if (answer.sub_code === "isp.bill_not_exist") return null;
  if (answer.code !== succeeded) throw api.refused(method, answer);
  const { bill_download_url } = api.verified(method, () => parse(billSchema, answer));
  const file = await downloadFrom("alipay", bill_download_url, {});
  try {
    return readBill(file);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw fail("unavailable", { channel: "alipay", method, why: error.message });
  }
}

/** Alipay's page pay: `payUrl` is its page, signed by us. */
export function open({ settings, webhookUrl }: ProviderSurroundings): PaymentProvider {
  const account: AlipayAccount = {
    appId: settings.ALIPAY_APP_ID as string,
    sellerId: settings.ALIPAY_SELLER_ID as string,
    privateKey: createPrivateKey(settings.ALIPAY_PRIVATE_KEY as string),
    alipayKey: createPublicKey(settings.ALIPAY_PUBLIC_KEY as string),
  };
  const gateway = settings.ALIPAY_GATEWAY ?? "https://openapi.alipay.com/gateway.do";
  const api = new AlipayApi({ account, gateway });
  return {
    async createPayment(order, productName, expires) {
      const content = {
        out_trade_no: tradeNoOf(order.orderId),
        total_amount: yuan(order.amount),
        subject: productName.replace(/[/=&]/g, " "),
        product_code: "FAST_INSTANT_TRADE_PAY",
        time_expire: alipayTime(expires),
      };
      const fields = api.request("alipay.trade.page.pay", content, { notify_url: webhookUrl });
      return { payUrl: `${gateway}?${new URLSearchParams(fields)}` };
    },
    readWebhook: (raw, now) => readAlipayWebhook(account, raw, now),
    answer: ({ outcome }, httpStatus) =>
      outcome === "refused"
        ? { httpStatus, contentType: "text/plain; charset=utf-8", body: "failure" }
        : { httpStatus: 200, contentType: "text/plain; charset=utf-8", body: "success" },
    queryOrder: (orderId) => queryOrder(api, orderId),
    bill: (date) => fetchBill(api, date),
    async closeOrder(orderId) {
      // The result (closed, paid, unknown) is read by the next query.
      await api.send("alipay.trade.close", { out_trade_no: tradeNoOf(orderId) });
    },
    async refund({ orderId, transactionId, amount, reason }) {
      const method = "alipay.trade.refund";
      const answer = await api.send(method, {
        trade_no: transactionId,
        out_request_no: tradeNoOf(orderId),
        refund_amount: yuan(amount),
        refund_reason: reason,
      });
      if (answer.code !== succeeded) throw api.refused(method, answer);
      return api.verified(method, () => {
        const { out_trade_no, refund_fee } = parse(refundSchema, answer);
        if (orderIdOf(out_trade_no) !== orderId) throw new WebhookRefused("orderUnknown", "another order");
        return fenOfAlipay(refund_fee) === amount ? "done" : "failed";
      });
    },
  };
}
