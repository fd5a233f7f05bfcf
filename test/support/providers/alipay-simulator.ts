import { generateKeyPairSync, randomBytes, randomUUID, sign, verify } from "node:crypto";
import type { RawWebhook } from "../../../services/payment/payment.contract.ts";
import { gbk, zip } from "./bill-archive.ts";
import { type SimulatedAnswer, type SimulatedServer, simulate } from "./simulated-server.ts";

interface Trade {
  /** Yuan, as text. */
  readonly total: string;
  readonly tradeNo: string;
  status: "WAIT_BUYER_PAY" | "TRADE_SUCCESS" | "TRADE_FINISHED" | "TRADE_CLOSED";
  paid?: Date;
  /** Yuan given back so far. */
  refunded?: string;
}

export interface AlipayForgery {
  /** Seconds since the webhook was made. */
  age?: number;
  content?: Record<string, string>;
  foreignKey?: boolean;
  tamper?: (body: string) => string;
}

const keys = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
const beijing = (time: Date) => new Date(time.getTime() + 28_800_000).toISOString().slice(0, 19).replace("T", " ");
const sorted = (fields: Record<string, string>) =>
  Object.entries(fields)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");

/** Alipay for tests, with keys of its own; written from its documentation, not from our provider. */
export class AlipaySimulator {
  readonly trades = new Map<string, Trade>();
  /** The days of which it has no bill. */
  hasNoBill: (date: string) => boolean = () => false;
  server!: SimulatedServer;
  private readonly alipay = keys();
  private readonly merchant = keys();
  private readonly foreign = keys();

  static async start(): Promise<AlipaySimulator> {
    const simulator = new AlipaySimulator();
    simulator.server = await simulate(({ path, body }) =>
      path === "/bill.zip" ? { status: 200, body: simulator.bill() } : simulator.answer(body),
    );
    return simulator;
  }

  get settings(): Record<string, string> {
    return {
      ALIPAY_APP_ID: "2021000000000001",
      ALIPAY_SELLER_ID: "2088000000000001",
      ALIPAY_PRIVATE_KEY: this.merchant.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
      ALIPAY_PUBLIC_KEY: this.alipay.publicKey.export({ type: "spki", format: "pem" }) as string,
      ALIPAY_GATEWAY: `${this.server.url}/gateway.do`,
    };
  }

  trade(tradeNo: string): Trade {
    const trade = this.trades.get(tradeNo);
    if (!trade) throw new Error(`no trade ${tradeNo}`);
    return trade;
  }

  /** The payer opens the page: Alipay knows the order from now on. Throws where the page is not the merchant's. */
  open(payUrl: string): string {
    const { sign: signature = "", ...fields } = Object.fromEntries(new URL(payUrl).searchParams);
    if (!this.isMerchant(fields, signature)) throw new Error("invalid-signature");
    const content = JSON.parse(fields.biz_content ?? "{}") as Record<string, string>;
    const tradeNo = content.out_trade_no as string;
    if (fields.method !== "alipay.trade.page.pay" || content.product_code !== "FAST_INSTANT_TRADE_PAY")
      throw new Error("not a page to pay at");
    if (!this.trades.has(tradeNo)) {
      const id = `2026${randomBytes(8).readBigUInt64BE()}`;
      this.trades.set(tradeNo, { total: content.total_amount as string, tradeNo: id, status: "WAIT_BUYER_PAY" });
    }
    return tradeNo;
  }

  pay(tradeNo: string): boolean {
    const trade = this.trade(tradeNo);
    if (trade.status !== "WAIT_BUYER_PAY") return false;
    Object.assign(trade, { status: "TRADE_SUCCESS", paid: new Date() });
    return true;
  }

  /** The webhook of a trade as it stands. */
  webhook(tradeNo: string, { age = 0, content = {}, foreignKey, tamper }: AlipayForgery = {}): RawWebhook {
    const trade = this.trade(tradeNo);
    const fields: Record<string, string> = {
      notify_id: randomUUID().replaceAll("-", ""),
      notify_type: "trade_status_sync",
      notify_time: beijing(new Date(Date.now() - age * 1_000)),
      charset: "utf-8",
      version: "1.0",
      app_id: "2021000000000001",
      seller_id: "2088000000000001",
      out_trade_no: tradeNo,
      trade_no: trade.tradeNo,
      trade_status: trade.status,
      total_amount: trade.total,
      subject: "旗鱼币 + 100% & more",
      buyer_logon_id: "159****5620",
      ...(trade.paid ? { gmt_payment: beijing(trade.paid) } : {}),
      ...(trade.refunded ? { refund_fee: trade.refunded, gmt_refund: `${beijing(new Date())}.123` } : {}),
      ...content,
    };
    const signature = this.signature(sorted(fields), foreignKey);
    const body = new URLSearchParams({ ...fields, sign_type: "RSA2", sign: signature }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
    return { body: tamper ? tamper(body) : body, headers, query: {}, ip: "127.0.0.1" };
  }

  private signature(text: string, foreignKey = false): string {
    const { privateKey } = foreignKey ? this.foreign : this.alipay;
    return sign("sha256", Buffer.from(text), privateKey).toString("base64");
  }

  private isMerchant(fields: Record<string, string>, signature: string): boolean {
    return (
      fields.app_id === "2021000000000001" &&
      fields.sign_type === "RSA2" &&
      verify("sha256", Buffer.from(sorted(fields)), this.merchant.publicKey, Buffer.from(signature, "base64"))
    );
  }

  private answer(body: string): SimulatedAnswer {
    const { sign: signature = "", ...fields } = Object.fromEntries(new URLSearchParams(body));
    const method = fields.method ?? "";
    const payload = this.isMerchant(fields, signature)
      ? this.carryOut(method, JSON.parse(fields.biz_content ?? "{}"))
      : { code: "40002", msg: "Invalid Arguments", sub_code: "isv.invalid-signature" };
    const text = JSON.stringify(payload);
    const name = `${method.replaceAll(".", "_")}_response`;
    return { status: 200, body: `{"${name}":${text},"sign":"${this.signature(text)}"}` };
  }

  /** The trade bill of every trade there is, whatever the day: two tables in an archive. */
  bill(): Buffer {
    const heading =
      "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,对方账户,订单金额（元）,商家实收（元）,备注";
    const row = (id: string, tradeNo: string, kind: string, yuan: string) =>
      `${id}\t,${tradeNo}\t,${kind},coins,2026-11-22 10:00:00,2026-11-22 10:00:01,159****5620,${yuan},${yuan},`;
    const rows = [...this.trades].flatMap(([tradeNo, trade]) => [
      ...(trade.paid ? [row(trade.tradeNo, tradeNo, "交易", trade.total)] : []),
      ...(trade.refunded ? [row(trade.tradeNo, tradeNo, "退款", `-${trade.refunded}`)] : []),
    ]);
    const begin = ["#支付宝业务明细查询", "#账号：[20880000000000010156]", "#-----业务明细列表-----"];
    const trades = [...begin, heading, ...rows, "#-----业务明细列表结束-----", "#交易合计：1笔"].join("\r\n");
    return zip([gbk("#支付宝业务汇总查询\r\n#门店编号,交易订单总笔数\r\n"), gbk(trades)]);
  }

  private carryOut(method: string, content: Record<string, string>): object {
    if (method === "alipay.data.dataservice.bill.downloadurl.query" && this.hasNoBill(content.bill_date ?? ""))
      return { code: "40004", msg: "Business Failed", sub_code: "isp.bill_not_exist" };
    if (method === "alipay.data.dataservice.bill.downloadurl.query")
      return { code: "10000", msg: "Success", bill_download_url: `${this.server.url}/bill.zip` };
    const entry = [...this.trades].find(
      ([tradeNo, trade]) => tradeNo === content.out_trade_no || trade.tradeNo === content.trade_no,
    );
    if (!entry) return { code: "40004", msg: "Business Failed", sub_code: "ACQ.TRADE_NOT_EXIST" };
    const [outTradeNo, trade] = entry;
    const named = { code: "10000", msg: "Success", out_trade_no: outTradeNo, trade_no: trade.tradeNo };
    if (method === "alipay.trade.query") {
      const paid = trade.paid ? { send_pay_date: beijing(trade.paid) } : {};
      return { ...named, trade_status: trade.status, total_amount: trade.total, buyer_logon_id: 'a}"b', ...paid };
    }
    if (method === "alipay.trade.close") {
      if (trade.status !== "WAIT_BUYER_PAY")
        return { code: "40004", msg: "Business Failed", sub_code: "ACQ.TRADE_STATUS_ERROR" };
      trade.status = "TRADE_CLOSED";
      return named;
    }
    if (!trade.paid) return { code: "40004", msg: "Business Failed", sub_code: "ACQ.TRADE_STATUS_ERROR" };
    const change = trade.refunded ? "N" : "Y";
    Object.assign(trade, { refunded: content.refund_amount, status: "TRADE_CLOSED" });
    return { ...named, fund_change: change, refund_fee: trade.refunded };
  }
}
