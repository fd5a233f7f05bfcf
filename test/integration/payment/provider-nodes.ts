import type { ServiceBroker } from "moleculer";
import { call } from "../../../services/contracts.ts";
import { tradeNoOf } from "../../../services/payment/order.ts";
import type { RawWebhook, WebhookAnswer } from "../../../services/payment/payment.contract.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { AlipaySimulator } from "../../support/providers/alipay-simulator.ts";
import { CashierSimulator } from "../../support/providers/cashier-simulator.ts";
import { WechatSimulator } from "../../support/providers/wechat-simulator.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { expectOrdersCredited } from "./credited-orders.ts";
import { type PaymentNode, startPayment, wakeJobs, webhookTimeoutMs } from "./payment-node.ts";

/** The channels whose provider is simulated. */
export type Channel = "wechat" | "alipay" | "cashier";
export const channels: readonly Channel[] = ["wechat", "alipay", "cashier"];

/** Two payment nodes and the wallet, with every provider simulated. */
export interface ProviderNodes {
  readonly wechat: WechatSimulator;
  readonly alipay: AlipaySimulator;
  readonly cashier: CashierSimulator;
  readonly gateway: ServiceBroker;
  readonly payments: readonly [PaymentNode, PaymentNode];
}

/**
 * The nodes of a test file, open before its first test. Providers are back in order after each test. At the end the
 * ledger is summed, unless the file makes wrong books on purpose, and everything is closed.
 */
export function useProviderNodes({ summed = true } = {}): ProviderNodes {
  const nodes = {} as ProviderNodes;
  beforeAll(async () => {
    Object.assign(nodes, await openProviderNodes());
  });
  afterEach(() => {
    for (const payment of nodes.payments) payment.steps = {};
    Object.assign(nodes.wechat, { refundStatus: "PROCESSING", rotated: false, beforeOrderAnswer: async () => {} });
    for (const { server } of [nodes.wechat, nodes.alipay]) server.down = false;
  });
  afterAll(async () => {
    try {
      if (summed) await expectOrdersCredited();
    } finally {
      await stopAll();
      await nodes.wechat.server.stop();
      await nodes.alipay.server.stop();
    }
  });
  return nodes;
}

async function openProviderNodes(): Promise<ProviderNodes> {
  const wechat = await WechatSimulator.start();
  const alipay = await AlipaySimulator.start();
  const cashier = new CashierSimulator();
  Object.assign(process.env, wechat.settings, alipay.settings, cashier.settings);
  process.env.PAY_NOTIFY_BASE_URL = "http://gateway.example";
  const first = (await startPayment("payment-1")).service;
  const second = (await startPayment("payment-2")).service;
  cashier.book = first.mysql;
  await startNode("wallet", [wallet]);
  const gateway = await startNode("gateway", []);
  for (const node of [first, second]) await waitForNode(gateway, "payment", node.broker.nodeID);
  for (const broker of [gateway, first.broker, second.broker]) await broker.waitForServices(["wallet"]);
  return { wechat, alipay, cashier, gateway, payments: [first, second] };
}

export interface PlacedOrder {
  readonly channel: Channel;
  readonly userId: string;
  readonly orderId: string;
  /** As the provider knows it. */
  readonly tradeNo: string;
  readonly payUrl: string;
}

const payChannel: Readonly<Record<Channel, number>> = { alipay: 0, wechat: 1, cashier: 3 };
let users = 1_000;

/** An order of product 6 (3000 fen, 300 coins) by a new user, whose page the payer has opened. */
export async function place(nodes: ProviderNodes, channel: Channel): Promise<PlacedOrder> {
  const userId = String(++users);
  const params = { userId, productId: 6, paySource: 1, payChannel: payChannel[channel] };
  const { orderId, payUrl } = await call(nodes.gateway, "payment.pay", params);
  return opened(nodes, { channel, userId, orderId, payUrl });
}

/** The payer opens the page of an order. */
export function opened({ alipay, cashier }: ProviderNodes, order: Omit<PlacedOrder, "tradeNo">): PlacedOrder {
  const { channel, orderId, payUrl } = order;
  if (channel === "alipay") alipay.open(payUrl);
  if (channel === "cashier") cashier.open(orderId, 3_000);
  return { ...order, tradeNo: channel === "cashier" ? orderId : tradeNoOf(orderId) };
}

/** The payer pays at the provider; whether that was still possible. */
export async function pay(nodes: ProviderNodes, { channel, tradeNo }: PlacedOrder): Promise<boolean> {
  return nodes[channel].pay(tradeNo);
}

/** An order whose payer has paid, that is not reported here. */
export async function placePaid(nodes: ProviderNodes, channel: Channel): Promise<PlacedOrder> {
  const order = await place(nodes, channel);
  expect(await pay(nodes, order)).toBe(true);
  return order;
}

/** How a call differs from a genuine one, in what every provider has. */
export interface Change {
  age?: number;
  content?: Record<string, never>;
  foreignKey?: boolean;
  tamper?: (body: string) => string;
}

/** The provider's webhook of the order's payment; every one is signed anew. */
export function paidWebhook(nodes: ProviderNodes, { channel, tradeNo }: PlacedOrder, change: Change = {}): RawWebhook {
  if (channel === "alipay") return nodes.alipay.webhook(tradeNo, change);
  return nodes[channel].paidWebhook(tradeNo, change);
}

/** The provider's webhook of a refund of the whole payment. */
export function refundWebhook(nodes: ProviderNodes, { channel, tradeNo }: PlacedOrder): RawWebhook {
  if (channel !== "alipay") return nodes[channel].refundWebhook(tradeNo);
  Object.assign(nodes.alipay.trade(tradeNo), { refunded: "30.00", status: "TRADE_CLOSED" });
  return nodes.alipay.webhook(tradeNo);
}

/** Hands a call on as the gateway does. */
export async function deliver({ gateway }: ProviderNodes, channel: Channel, raw: RawWebhook): Promise<WebhookAnswer> {
  const answer = await call(gateway, "payment.webhook", { channel, ...raw }, { timeout: webhookTimeoutMs });
  if (!answer) throw new Error(`${channel} is not configured`);
  return answer;
}

/** An order that is paid, and whose coins are there. */
export async function credited(nodes: ProviderNodes, channel: Channel): Promise<PlacedOrder> {
  const order = await placePaid(nodes, channel);
  await deliver(nodes, channel, paidWebhook(nodes, order));
  await expectCoins(nodes, order, 300);
  return order;
}

export async function statusOf({ gateway }: ProviderNodes, { userId, orderId }: PlacedOrder): Promise<number> {
  return (await call(gateway, "payment.order", { userId, orderId })).status;
}

export async function coinsOf({ gateway }: ProviderNodes, { userId }: PlacedOrder): Promise<number> {
  return (await call(gateway, "wallet.balance", { userId })).balance;
}

export async function expectCoins(nodes: ProviderNodes, order: PlacedOrder, coins: number): Promise<void> {
  await eventually(`${coins} coins`, async () => (await coinsOf(nodes, order)) === coins, 30_000);
}

/** Lets the node that has the lease check what is due. */
export function wakeMaintenance({ payments }: ProviderNodes): void {
  for (const payment of payments) wakeJobs(payment);
}

/** How often WeChat Pay was asked about an order, or for its refund. */
export function wechatCalls({ wechat }: ProviderNodes, { tradeNo }: PlacedOrder, what: "query" | "refund"): number {
  return wechat.server.calls.filter(({ method, path, body }) =>
    what === "query" ? method === "GET" && path.includes(tradeNo) : path.includes("/refunds") && body.includes(tradeNo),
  ).length;
}
