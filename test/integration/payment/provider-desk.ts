import type { ServiceBroker } from "moleculer";
import { call } from "../../../services/contracts.ts";
import { orderIdOf, tradeNoOf } from "../../../services/payment/order.ts";
import type { NoticeAnswer, RawNotice } from "../../../services/payment/payment.contract.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { AlipaySimulator } from "../../support/providers/alipay-simulator.ts";
import { WechatSimulator } from "../../support/providers/wechat-simulator.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { type PaymentNode, startPayment } from "./desk.ts";

/** Two payment nodes and the wallet, with both providers simulated. */
export interface ProviderDesk {
  readonly wechat: WechatSimulator;
  readonly alipay: AlipaySimulator;
  readonly gateway: ServiceBroker;
  readonly payments: readonly [PaymentNode, PaymentNode];
  stop(): Promise<void>;
}

export async function openProviderDesk(): Promise<ProviderDesk> {
  const wechat = await WechatSimulator.start();
  const alipay = await AlipaySimulator.start();
  Object.assign(process.env, wechat.settings, alipay.settings, { PAY_NOTIFY_BASE_URL: "http://gateway.example" });
  const first = (await startPayment("payment-1")).service;
  const second = (await startPayment("payment-2")).service;
  await startNode("wallet", [wallet]);
  const gateway = await startNode("gateway", []);
  for (const node of [first, second]) await waitForNode(gateway, "payment", node.broker.nodeID);
  await gateway.waitForServices(["wallet"]);
  return {
    ...{ wechat, alipay, gateway, payments: [first, second] },
    async stop() {
      await stopAll();
      await wechat.server.stop();
      await alipay.server.stop();
    },
  };
}

export interface PlacedOrder {
  readonly userId: string;
  readonly orderId: string;
  /** As the provider knows it. */
  readonly tradeNo: string;
  readonly payUrl: string;
}

let users = 1_000;

/** An order of product 6 (3000 fen, 300 coins) by a new user, whose page the payer has opened. */
export async function place({ gateway, alipay }: ProviderDesk, channel: "wechat" | "alipay"): Promise<PlacedOrder> {
  const userId = String(++users);
  const payChannel = channel === "wechat" ? 1 : 0;
  const { orderId, payUrl } = await call(gateway, "payment.pay", { userId, productId: 6, paySource: 1, payChannel });
  if (channel === "alipay") alipay.open(payUrl);
  return { userId, orderId, tradeNo: tradeNoOf(orderId), payUrl };
}

/** Hands a call on as the gateway does. */
export async function deliver(
  { gateway }: ProviderDesk,
  channel: "wechat" | "alipay",
  raw: RawNotice,
): Promise<NoticeAnswer> {
  const answer = await call(gateway, "payment.notice", { channel, ...raw });
  if (!answer) throw new Error(`${channel} is not configured`);
  return answer;
}

export async function statusOf({ gateway }: ProviderDesk, { userId, orderId }: PlacedOrder): Promise<number> {
  return (await call(gateway, "payment.order", { userId, orderId })).status;
}

export async function coinsOf({ gateway }: ProviderDesk, { userId }: PlacedOrder): Promise<number> {
  return (await call(gateway, "wallet.balance", { userId })).balance;
}

/**
 * The books at the end: they balance in themselves, each paid order has its one credit of its coins, each refunded one
 * that was credited its taking back, and nothing else has a credit.
 */
export async function expectOrdersCredited(): Promise<void> {
  const orders = await rows<{ order_id: string; coins: string; status: number }>(
    "payment",
    "SELECT order_id, coins, status FROM t_pay_order",
  );
  const wanted = orders.filter(({ status }) => status === 2).map(({ order_id, coins }) => `${order_id} ${coins}`);
  const refunded = new Set(orders.filter(({ status }) => status === 5).map(({ order_id }) => order_id));
  await eventually("every paid order is credited", async () => {
    const trades = await rows<{ biz_id: string; num: string }>(
      "wallet",
      "SELECT biz_id, num FROM t_qiyu_currency_trade WHERE type = 1 AND status = 1",
    );
    const credits = trades.filter(({ biz_id }) => !refunded.has(orderIdOf(biz_id)));
    const got = credits.map(({ biz_id, num }) => `${biz_id} ${num}`).sort();
    return JSON.stringify(got) === JSON.stringify([...wanted].sort());
  });
  await expectBooksBalanced();
}
