import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { z } from "zod";
import { fail } from "../../../../broker/failure.ts";
import { orderIdOf, tradeNoOf } from "../../order.ts";
import type { BillLine } from "../../payment.contract.ts";
import type { PaymentProvider, ProviderOrder, ProviderSurroundings } from "../provider.ts";
import { callProvider, downloadFrom, type ProviderAnswer } from "../provider-call.ts";
import { WebhookRefused } from "../report.ts";
import { readWechatBill } from "./wechat-bill.ts";
import { authorization, verifyWechat, type WechatAccount } from "./wechat-signature.ts";
import { parseJson, readWechatWebhook, requireOwn, wechatOrderSchema } from "./wechat-webhook.ts";

interface WechatSetup {
  readonly account: WechatAccount;
  /** Without a slash at its end. */
  readonly baseUrl: string;
}

const nativeSchema = z.object({ code_url: z.string().min(1).max(512) });
const refundSchema = z.object({ out_refund_no: z.string(), status: z.string() });
const billSchema = z.object({ hash_type: z.literal("SHA1"), hash_value: z.string(), download_url: z.url() });
const refusalSchema = z.object({ code: z.string().max(64) });

const refundStates: Readonly<Record<string, "done" | "processing" | "failed">> = {
  SUCCESS: "done",
  PROCESSING: "processing",
  CLOSED: "failed",
  ABNORMAL: "failed",
};

/** RFC 3339 in whole seconds, as WeChat Pay expects it. */
const rfc3339 = (time: Date) => time.toISOString().replace(/\.\d+Z$/, "+00:00");

class WechatApi {
  private readonly setup: WechatSetup;

  constructor(setup: WechatSetup) {
    this.setup = setup;
  }

  /** A signed call. Its answer is signed by WeChat Pay, whatever its content. Fails: unavailable. */
  async send(method: "GET" | "POST", path: string, payload?: object): Promise<ProviderAnswer> {
    const { account, baseUrl } = this.setup;
    const url = new URL(baseUrl + path);
    const body = payload ? JSON.stringify(payload) : "";
    const answer = await callProvider("wechat", url.href, {
      method,
      ...(payload ? { body } : {}),
      headers: {
        accept: "application/json",
        "content-type": "application/json",
        "user-agent": "ovation",
        // The key with which the answer must be signed.
        "wechatpay-serial": account.platformSerial,
        authorization: authorization(account, method, url.pathname + url.search, body),
      },
    });
    try {
      verifyWechat(account, answer.headers, answer.body, Date.now());
    } catch (error) {
      throw this.unusable(path, error);
    }
    return answer;
  }

  /**
   * The parsed answer of a call that must have succeeded. Fails: unavailable, with WeChat Pay's code if there is one.
   */
  read<T>(path: string, answer: ProviderAnswer, schema: z.ZodType<T>): T {
    if (answer.status !== 200) throw this.refused(path, answer);
    try {
      return parseJson(schema, answer.body);
    } catch (error) {
      throw this.unusable(path, error);
    }
  }

  refused(path: string, { status, body }: ProviderAnswer): Error {
    return fail("unavailable", { channel: "wechat", path, why: `answered ${status} ${codeOf(body)}` });
  }

  unusable(path: string, error: unknown): unknown {
    if (!(error instanceof WebhookRefused)) return error;
    return fail("unavailable", { channel: "wechat", path, why: `its answer did not verify: ${error.message}` });
  }
}

function codeOf(body: string): string {
  try {
    return refusalSchema.parse(JSON.parse(body)).code;
  } catch {
    return "without a code";
  }
}

const orderPath = (orderId: string) => `/v3/pay/transactions/out-trade-no/${tradeNoOf(orderId)}`;

async function queryOrder(api: WechatApi, account: WechatAccount, orderId: string): Promise<ProviderOrder> {
  const path = `${orderPath(orderId)}?mchid=${encodeURIComponent(account.mchId)}`;
  const answer = await api.send("GET", path);
  if (answer.status === 404 && /^ORDER_?NOT_?EXIST$/.test(codeOf(answer.body))) return { status: "unknown" };
  const order = api.read(path, answer, wechatOrderSchema);
  try {
    requireOwn(account, order);
    if (orderIdOf(order.out_trade_no) !== orderId) throw new WebhookRefused("orderUnknown", "another order");
    const state = order.trade_state;
    if (state === "CLOSED" || state === "REVOKED") return { status: "closed" };
    if (state !== "SUCCESS" && state !== "REFUND") return { status: "open" };
    const { transaction_id: transactionId, amount, success_time: time } = order;
    if (!transactionId || !amount || !time) throw new WebhookRefused("malformed", "a paid order without its payment");
    // REFUND may mean a part or the whole: the answer does not have the amount.
    const status = state === "SUCCESS" ? "paid" : "refunded";
    return { status, transactionId, amount: amount.total, time: new Date(time) };
  } catch (error) {
    throw api.unusable(path, error);
  }
}

export const readBill = (file: Buffer): BillLine[] => readWechatBill(file.toString("utf8"));

/**
 * The day's bill: a signed answer has its address and its hash, by which the file is verified. Bills are there from
 * 10:00 on the next day; a day without payments and refunds has none, and the answer is the same as before that
 * (https://pay.weixin.qq.com/docs/merchant/products/bill-download/development.html).
 */
async function fetchBill(api: WechatApi, account: WechatAccount, date: string): Promise<BillLine[] | null> {
  const path = `/v3/bill/tradebill?bill_date=${date}&bill_type=ALL`;
  const answer = await api.send("GET", path);
  if (answer.status === 400 && codeOf(answer.body) === "NO_STATEMENT_EXIST") return null;
  const { download_url, hash_value } = api.read(path, answer, billSchema);
  const url = new URL(download_url);
  const signed = authorization(account, "GET", url.pathname + url.search, "");
  const file = await downloadFrom("wechat", url.href, { "user-agent": "ovation", authorization: signed });
  if (createHash("sha1").update(file).digest("hex") !== hash_value.toLowerCase())
    throw api.unusable(path, new WebhookRefused("signature", "the bill does not have the announced hash"));
  try {
    return readBill(file);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw api.unusable(path, new WebhookRefused("malformed", error.message));
  }
}

function accountOf(settings: ProviderSurroundings["settings"]): WechatAccount {
  const platformSerial = settings.WECHAT_PAY_PLATFORM_SERIAL as string;
  const nextSerial = settings.WECHAT_PAY_NEXT_PLATFORM_SERIAL;
  const platformKeys = new Map([[platformSerial, createPublicKey(settings.WECHAT_PAY_PLATFORM_PUBLIC_KEY as string)]]);
  if (nextSerial) platformKeys.set(nextSerial, createPublicKey(settings.WECHAT_PAY_NEXT_PLATFORM_PUBLIC_KEY as string));
  return {
    mchId: settings.WECHAT_PAY_MCHID as string,
    appId: settings.WECHAT_PAY_APPID as string,
    apiV3Key: settings.WECHAT_PAY_APIV3_KEY as string,
    serialNo: settings.WECHAT_PAY_SERIAL_NO as string,
    privateKey: createPrivateKey(settings.WECHAT_PAY_PRIVATE_KEY as string),
    platformSerial,
    platformKeys,
  };
}

/** WeChat Pay API v3, Native: the payer scans `code_url`. */
export function open({ settings, webhookUrl }: ProviderSurroundings): PaymentProvider {
  const account = accountOf(settings);
  const baseUrl = (settings.WECHAT_PAY_BASE_URL ?? "https://api.mch.weixin.qq.com").replace(/\/+$/, "");
  const api = new WechatApi({ account, baseUrl });
  return {
    async createPayment(order, productName, expires) {
      const path = "/v3/pay/transactions/native";
      const answer = await api.send("POST", path, {
        appid: account.appId,
        mchid: account.mchId,
        description: productName.slice(0, 40),
        out_trade_no: tradeNoOf(order.orderId),
        time_expire: rfc3339(expires),
        notify_url: webhookUrl,
        amount: { total: order.amount, currency: "CNY" },
      });
      return { payUrl: api.read(path, answer, nativeSchema).code_url };
    },
    readWebhook: (raw, now) => readWechatWebhook(account, raw, now),
    answer({ outcome, reason }, httpStatus) {
      const contentType = "application/json; charset=utf-8";
      if (outcome !== "refused") return { httpStatus: 200, contentType, body: "" };
      return { httpStatus, contentType, body: JSON.stringify({ code: "FAIL", message: reason }) };
    },
    queryOrder: (orderId) => queryOrder(api, account, orderId),
    bill: (date) => fetchBill(api, account, date),
    async closeOrder(orderId) {
      // 204: closed. Any other state (paid, closed already, unknown) is read by the next query.
      await api.send("POST", `${orderPath(orderId)}/close`, { mchid: account.mchId });
    },
    async refund({ orderId, transactionId, amount, reason }) {
      const path = "/v3/refund/domestic/refunds";
      const answer = await api.send("POST", path, {
        transaction_id: transactionId,
        out_refund_no: tradeNoOf(orderId),
        reason: reason.slice(0, 26),
        notify_url: webhookUrl,
        amount: { refund: amount, total: amount, currency: "CNY" },
      });
      const { status, out_refund_no } = api.read(path, answer, refundSchema);
      if (out_refund_no !== tradeNoOf(orderId))
        throw api.unusable(path, new WebhookRefused("malformed", "another refund"));
      return refundStates[status] ?? "processing";
    },
  };
}
