import {
  createCipheriv,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  randomUUID,
  sign,
  verify,
} from "node:crypto";
import type { RawWebhook } from "../../../services/payment/payment.contract.ts";
import { type SimulatedAnswer, type SimulatedRequest, type SimulatedServer, simulate } from "./simulated-server.ts";

interface Trade {
  readonly total: number;
  readonly expires: Date;
  readonly transactionId: string;
  state: "NOTPAY" | "SUCCESS" | "CLOSED" | "REFUND";
  paid?: Date;
  refund?: { id: string; status: "SUCCESS" | "PROCESSING" | "ABNORMAL" };
}

/** How a webhook differs from the genuine one. */
export interface Forgery {
  /** Seconds that the signature is old. */
  age?: number;
  /** Changes of the sealed content. */
  content?: Record<string, unknown>;
  /** Signs with a key that is not the platform's. */
  foreignKey?: boolean;
  serial?: string;
  /** Changes the body after it was signed. */
  tamper?: (body: string) => string;
  apiV3Key?: string;
}

const keys = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = { type: "pkcs8", format: "pem" } as const;

/** WeChat Pay API v3 for tests, with keys of its own; written from its documentation, not from our provider. */
export class WechatSimulator {
  readonly trades = new Map<string, Trade>();
  /** Runs before an order's own answer goes out. */
  beforeOrderAnswer: (tradeNo: string) => Promise<void> = async () => {};
  /** Runs when a refund is done, before its answer goes out. */
  beforeRefundAnswer: () => Promise<void> = async () => {};
  /** What a refund says at first. */
  refundStatus: "SUCCESS" | "PROCESSING" | "ABNORMAL" = "PROCESSING";
  server!: SimulatedServer;
  /** Signs with the next platform key, as after a change of it. */
  rotated = false;
  private readonly platform = keys();
  private readonly nextPlatform = keys();
  private readonly merchant = keys();
  private readonly foreign = keys();
  private readonly apiV3Key = randomBytes(16).toString("hex");

  static async start(): Promise<WechatSimulator> {
    const simulator = new WechatSimulator();
    simulator.server = await simulate((request) => simulator.answer(request));
    return simulator;
  }

  /** What a merchant of it has to set. */
  get settings(): Record<string, string> {
    return {
      WECHAT_PAY_MCHID: "1900000001",
      WECHAT_PAY_APPID: "wx0000000000000001",
      WECHAT_PAY_APIV3_KEY: this.apiV3Key,
      WECHAT_PAY_PRIVATE_KEY: this.merchant.privateKey.export(pem) as string,
      WECHAT_PAY_SERIAL_NO: "MERCHANTSERIAL01",
      WECHAT_PAY_PLATFORM_PUBLIC_KEY: this.platform.publicKey.export({ type: "spki", format: "pem" }) as string,
      WECHAT_PAY_PLATFORM_SERIAL: "PLATFORMSERIAL01",
      WECHAT_PAY_NEXT_PLATFORM_PUBLIC_KEY: this.nextPlatform.publicKey.export({
        type: "spki",
        format: "pem",
      }) as string,
      WECHAT_PAY_NEXT_PLATFORM_SERIAL: "PLATFORMSERIAL02",
      WECHAT_PAY_BASE_URL: this.server.url,
    };
  }

  trade(tradeNo: string): Trade {
    const trade = this.trades.get(tradeNo);
    if (!trade) throw new Error(`no trade ${tradeNo}`);
    return trade;
  }

  /** The payer pays, where that is still possible; nothing is sent yet. */
  pay(tradeNo: string): boolean {
    const trade = this.trade(tradeNo);
    if (trade.state !== "NOTPAY" || trade.expires.getTime() < Date.now()) return false;
    Object.assign(trade, { state: "SUCCESS", paid: new Date() });
    return true;
  }

  /** The webhook of a payment, signed now. */
  paidWebhook(tradeNo: string, forgery: Forgery = {}): RawWebhook {
    return this.webhook(
      "TRANSACTION.SUCCESS",
      "transaction",
      { ...this.content(tradeNo), ...forgery.content },
      forgery,
    );
  }

  /** The webhook of a refund. */
  refundWebhook(tradeNo: string, forgery: Forgery = {}): RawWebhook {
    const { total, transactionId } = this.trade(tradeNo);
    const content = {
      mchid: "1900000001",
      out_trade_no: tradeNo,
      transaction_id: transactionId,
      out_refund_no: tradeNo,
      refund_id: `50${transactionId}`,
      refund_status: "SUCCESS",
      success_time: new Date().toISOString().replace(/\.\d+Z/, "+00:00"),
      amount: { total, refund: total, payer_total: total, payer_refund: total },
      ...forgery.content,
    };
    return this.webhook(`REFUND.${content.refund_status}`, "refund", content, forgery);
  }

  /** Rows that the bill has besides its trades: transaction, trade number, state, yuan, number of the refund. */
  readonly strayRows: [string, string, "SUCCESS" | "REFUND", string, string?][] = [];

  /** The days of which it has no bill. */
  hasNoBill: (date: string) => boolean = () => false;

  /** The trade bill of every trade there is, whatever the day. */
  bill(): string {
    const heading =
      "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
    const row = (id: string, tradeNo: string, state: string, yuan: string, refundId = "0") => {
      const [paid, back] = state === "SUCCESS" ? [yuan, "0.00"] : ["0.00", yuan];
      const first = [
        "2026-11-22 10:00:00",
        "wx0000000000000001",
        "1900000001",
        "0",
        "",
        id,
        tradeNo,
        "o-payer",
        "NATIVE",
      ];
      const money = [
        state,
        "OTHERS",
        "CNY",
        paid,
        "0.00",
        refundId,
        "0",
        back,
        "0.00",
        "",
        "",
        "旗鱼币, 30元",
        "",
        "0.18000",
      ];
      return [...first, ...money, "0.60%", paid, back, ""].map((value) => `\`${value}`).join(",");
    };
    const yuan = (fen: number) => (fen / 100).toFixed(2);
    const rows = [...this.trades].flatMap(([tradeNo, { state, transactionId, total }]) => {
      if (state !== "SUCCESS" && state !== "REFUND") return [];
      const paid = row(transactionId, tradeNo, "SUCCESS", yuan(total));
      return state === "SUCCESS"
        ? [paid]
        : [paid, row(transactionId, tradeNo, "REFUND", yuan(total), `50${transactionId}`)];
    });
    const stray = this.strayRows.map((fields) => row(...fields));
    const sums = [
      "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额",
      "`1,`1.00,`0.00",
    ];
    return `\uFEFF${[heading, ...rows, ...stray, ...sums].join("\r\n")}\r\n`;
  }

  private content(tradeNo: string): Record<string, unknown> {
    const { total, transactionId, state, paid } = this.trade(tradeNo);
    return {
      mchid: "1900000001",
      appid: "wx0000000000000001",
      out_trade_no: tradeNo,
      trade_state: state,
      trade_state_desc: state,
      ...(state === "SUCCESS" || state === "REFUND"
        ? { transaction_id: transactionId, success_time: (paid ?? new Date()).toISOString(), trade_type: "NATIVE" }
        : {}),
      payer: { openid: "o-of-the-payer" },
      amount: { total, payer_total: total, currency: "CNY", payer_currency: "CNY" },
    };
  }

  private webhook(event: string, kind: string, content: Record<string, unknown>, forgery: Forgery): RawWebhook {
    const nonce = randomBytes(6).toString("hex");
    const cipher = createCipheriv("aes-256-gcm", forgery.apiV3Key ?? this.apiV3Key, nonce);
    cipher.setAAD(Buffer.from(kind));
    const sealed = [cipher.update(JSON.stringify(content), "utf8"), cipher.final(), cipher.getAuthTag()];
    const ciphertext = Buffer.concat(sealed).toString("base64");
    const body = JSON.stringify({
      id: randomUUID(),
      create_time: new Date().toISOString(),
      resource_type: "encrypt-resource",
      event_type: event,
      summary: event,
      resource: { original_type: kind, algorithm: "AEAD_AES_256_GCM", ciphertext, associated_data: kind, nonce },
    });
    const headers = this.signed(body, forgery);
    return { body: forgery.tamper ? forgery.tamper(body) : body, headers, query: {}, ip: "127.0.0.1" };
  }

  private signed(body: string, { age = 0, foreignKey, serial }: Forgery = {}): Record<string, string> {
    const timestamp = String(Math.floor(Date.now() / 1_000) - age);
    const nonce = randomBytes(16).toString("hex");
    const platform = this.rotated ? this.nextPlatform : this.platform;
    const key = foreignKey ? this.foreign.privateKey : platform.privateKey;
    return {
      "content-type": "application/json",
      "wechatpay-serial": serial ?? (this.rotated ? "PLATFORMSERIAL02" : "PLATFORMSERIAL01"),
      "wechatpay-timestamp": timestamp,
      "wechatpay-nonce": nonce,
      "wechatpay-signature": sign("sha256", Buffer.from(`${timestamp}\n${nonce}\n${body}\n`), key).toString("base64"),
      "wechatpay-signature-type": "WECHATPAY2-SHA256-RSA2048",
    };
  }

  private async answer(request: SimulatedRequest): Promise<SimulatedAnswer> {
    const reply = (status: number, payload?: object): SimulatedAnswer => {
      const body = payload ? JSON.stringify(payload) : "";
      return { status, headers: this.signed(body), body };
    };
    if (!this.isMerchant(request)) return reply(401, { code: "SIGN_ERROR", message: "签名错误" });
    if (request.path.startsWith("/v3/bill/tradebill?")) {
      if (this.hasNoBill(/bill_date=([\d-]+)/.exec(request.path)?.[1] ?? ""))
        return reply(400, { code: "NO_STATEMENT_EXIST", message: "账单文件不存在" });
      const hash_value = createHash("sha1").update(this.bill()).digest("hex");
      return reply(200, { hash_type: "SHA1", hash_value, download_url: `${this.server.url}/v3/billdownload/file?t=1` });
    }
    if (request.path.startsWith("/v3/billdownload/")) return { status: 200, body: this.bill() };
    const payload = request.body ? JSON.parse(request.body) : {};
    const [path = ""] = request.path.split("?");
    if (path === "/v3/pay/transactions/native") return this.create(payload, reply);
    if (path === "/v3/refund/domestic/refunds") return this.refund(payload, reply);
    const [, tradeNo = "", close] = /^\/v3\/pay\/transactions\/out-trade-no\/([^/]+)(\/close)?$/.exec(path) ?? [];
    const trade = this.trades.get(tradeNo);
    if (!trade) return reply(404, { code: "ORDER_NOT_EXIST", message: "订单不存在" });
    if (!close) return reply(200, this.content(tradeNo));
    if (trade.state === "SUCCESS" || trade.state === "REFUND")
      return reply(400, { code: "ORDERPAID", message: "已支付" });
    trade.state = "CLOSED";
    return reply(204);
  }

  private async create(payload: Record<string, never>, reply: (status: number, payload?: object) => SimulatedAnswer) {
    const {
      out_trade_no: tradeNo,
      amount,
      time_expire: expires,
    } = payload as never as {
      out_trade_no: string;
      amount: { total: number; currency: string };
      time_expire: string;
    };
    if (!/^[\w|*-]{6,32}$/.test(tradeNo) || amount.currency !== "CNY" || !Number.isInteger(amount.total))
      return reply(400, { code: "PARAM_ERROR", message: "参数错误" });
    if (!this.trades.has(tradeNo)) {
      const transactionId = `42000${randomBytes(8).readBigUInt64BE()}`;
      this.trades.set(tradeNo, { total: amount.total, expires: new Date(expires), transactionId, state: "NOTPAY" });
    }
    await this.beforeOrderAnswer(tradeNo);
    return reply(200, { code_url: `weixin://wxpay/bizpayurl?pr=${tradeNo.slice(-9)}` });
  }

  private async refund(payload: Record<string, never>, reply: (status: number, payload?: object) => SimulatedAnswer) {
    const {
      transaction_id: id,
      out_refund_no,
      amount,
    } = payload as never as {
      transaction_id: string;
      out_refund_no: string;
      amount: { refund: number; total: number };
    };
    const trade = [...this.trades.values()].find(({ transactionId }) => transactionId === id);
    if (!trade || (trade.state !== "SUCCESS" && trade.state !== "REFUND") || amount.total !== trade.total)
      return reply(404, { code: "RESOURCE_NOT_EXISTS", message: "订单不存在" });
    trade.refund ??= { id: `50${id}`, status: this.refundStatus };
    trade.state = "REFUND";
    await this.beforeRefundAnswer();
    return reply(200, { refund_id: trade.refund.id, out_refund_no, status: trade.refund.status, amount });
  }

  /** The Authorization header over method, path, timestamp, nonce and body, by the merchant's key. */
  private isMerchant({ method, path, headers, body }: SimulatedRequest): boolean {
    const header = headers.authorization ?? "";
    const field = (name: string) => new RegExp(`[ ,]${name}="([^"]*)"`).exec(header)?.[1] ?? "";
    const signedText = `${method}\n${path}\n${field("timestamp")}\n${field("nonce_str")}\n${body}\n`;
    return (
      header.startsWith("WECHATPAY2-SHA256-RSA2048 ") &&
      field("mchid") === "1900000001" &&
      field("serial_no") === "MERCHANTSERIAL01" &&
      Math.abs(Date.now() / 1_000 - Number(field("timestamp"))) < 300 &&
      verify(
        "sha256",
        Buffer.from(signedText),
        createPublicKey(this.merchant.publicKey.export({ type: "spki", format: "pem" })),
        Buffer.from(field("signature"), "base64"),
      )
    );
  }
}
