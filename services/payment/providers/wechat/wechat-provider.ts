import { createHash } from "node:crypto";
import { z } from "zod";
import { fail } from "../../../../broker/failure.ts";
import { NoticeRefused } from "../../notice-record.ts";
import { orderIdOf, tradeNoOf } from "../../order.ts";
import type { BillLine, PaymentProvider, ProviderOrder } from "../provider.ts";
import { callProvider, downloadFrom, type ProviderAnswer } from "../provider-call.ts";
import { readWechatBill } from "./wechat-bill.ts";
import { parseJson, readWechatNotice, requireOwn, wechatOrderSchema } from "./wechat-notice.ts";
import { authorization, verifyWechat, type WechatAccount } from "./wechat-signature.ts";

interface WechatSetup {
  readonly account: WechatAccount;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** Where WeChat Pay sends its notices, of payments and refunds alike. */
  readonly notifyUrl: string;
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

/** RFC 3339 to the second, as WeChat Pay takes it. */
const rfc3339 = (time: Date) => time.toISOString().replace(/\.\d+Z$/, "+00:00");

class WechatApi {
  private readonly setup: WechatSetup;

  constructor(setup: WechatSetup) {
    this.setup = setup;
  }

  /** A signed call; its answer, whatever it says, is WeChat Pay's. Fails: unavailable. */
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
        // Which key the answer is to be signed with.
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

  /** The answer of a call that must have succeeded, read. Fails: unavailable, with WeChat Pay's code where it gave one. */
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
    if (!(error instanceof NoticeRefused)) return error;
    return fail("unavailable", { channel: "wechat", path, why: `its answer was not believed: ${error.message}` });
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
  if (answer.status === 404 && /^ORDER_?NOT_?EXIST$/.test(codeOf(answer.body))) return { says: "unknown" };
  const order = api.read(path, answer, wechatOrderSchema);
  try {
    requireOwn(account, order);
    if (orderIdOf(order.out_trade_no) !== orderId) throw new NoticeRefused("orderUnknown", "another order");
    const state = order.trade_state;
    if (state === "CLOSED" || state === "REVOKED") return { says: "closed" };
    if (state !== "SUCCESS" && state !== "REFUND") return { says: "open" };
    const { transaction_id: transactionId, amount, success_time: time } = order;
    if (!transactionId || !amount || !time) throw new NoticeRefused("malformed", "a paid order without its payment");
    // REFUND is said of a part as of the whole, and not how much.
    const says = state === "SUCCESS" ? "paid" : "refunded";
    return { says, transactionId, amount: amount.total, time: new Date(time) };
  } catch (error) {
    throw api.unusable(path, error);
  }
}

/** The day's bill: its address in a signed answer, the file itself proved by the hash that stands there. */
async function fetchBill(api: WechatApi, account: WechatAccount, date: string): Promise<BillLine[]> {
  const path = `/v3/bill/tradebill?bill_date=${date}&bill_type=ALL`;
  const answer = await api.send("GET", path);
  if (answer.status === 400 && codeOf(answer.body) === "NO_STATEMENT_EXIST") return [];
  const { download_url, hash_value } = api.read(path, answer, billSchema);
  const url = new URL(download_url);
  const signed = authorization(account, "GET", url.pathname + url.search, "");
  const file = await downloadFrom("wechat", url.href, { "user-agent": "ovation", authorization: signed });
  if (createHash("sha1").update(file).digest("hex") !== hash_value.toLowerCase())
    throw api.unusable(path, new NoticeRefused("signature", "the bill is not the one that was announced"));
  try {
    return readWechatBill(file.toString("utf8"));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw api.unusable(path, new NoticeRefused("malformed", error.message));
  }
}

/** WeChat Pay API v3, Native: the payer scans `code_url`. */
export function wechatProvider(setup: WechatSetup): PaymentProvider {
  const { account, notifyUrl } = setup;
  const api = new WechatApi(setup);
  return {
    channel: "wechat",
    kind: "qr",
    async createPayment(order, productName, expires) {
      const path = "/v3/pay/transactions/native";
      const answer = await api.send("POST", path, {
        appid: account.appId,
        mchid: account.mchId,
        description: productName.slice(0, 40),
        out_trade_no: tradeNoOf(order.orderId),
        time_expire: rfc3339(expires),
        notify_url: notifyUrl,
        amount: { total: order.amount, currency: "CNY" },
      });
      return { payUrl: api.read(path, answer, nativeSchema).code_url };
    },
    readNotice: (raw, now) => readWechatNotice(account, raw, now),
    answer(verdict, status) {
      const contentType = "application/json; charset=utf-8";
      if (verdict.outcome !== "refused") return { httpStatus: 200, contentType, body: "" };
      return { httpStatus: status, contentType, body: JSON.stringify({ code: "FAIL", message: verdict.reason }) };
    },
    queryOrder: (orderId) => queryOrder(api, account, orderId),
    bill: (date) => fetchBill(api, account, date),
    async closeOrder(orderId) {
      // 204: closed. Anything else (paid, closed before, unknown) is for the next question to find out.
      await api.send("POST", `${orderPath(orderId)}/close`, { mchid: account.mchId });
    },
    async refund({ orderId, transactionId, amount, reason }) {
      const path = "/v3/refund/domestic/refunds";
      const answer = await api.send("POST", path, {
        transaction_id: transactionId,
        out_refund_no: tradeNoOf(orderId),
        reason: reason.slice(0, 26),
        notify_url: notifyUrl,
        amount: { refund: amount, total: amount, currency: "CNY" },
      });
      const { status, out_refund_no } = api.read(path, answer, refundSchema);
      if (out_refund_no !== tradeNoOf(orderId))
        throw api.unusable(path, new NoticeRefused("malformed", "another refund"));
      return refundStates[status] ?? "processing";
    },
  };
}
