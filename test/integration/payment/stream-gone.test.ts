import type { ServiceBroker } from "moleculer";
import { connect, type JetStreamManager, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { call } from "../../../services/contracts.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { rows } from "../../support/books.ts";
import { eventually, startNode, stopAll, stopNode } from "../../support/system.ts";
import { expectOrdersCredited } from "./credited-orders.ts";
import { cashierWebhook, makeOrder, type PaymentNode, sendWebhook, startPayment } from "./payment-node.ts";

/** Paid orders whose messages stood in a stream that was deleted. */

let gateway: ServiceBroker;
let payment: PaymentNode;
let walletNode: ServiceBroker;
let nats: NatsConnection;
let streams: JetStreamManager;
const pay = () => `${natsPrefix()}PAY`;

beforeAll(async () => {
  nats = await connect(natsOptions("test"));
  streams = await nats.jetstreamManager();
  payment = (await startPayment("payment")).service;
  gateway = await startNode("gateway", []);
  await startWallet();
  await gateway.waitForServices(["payment"]);
});
afterAll(async () => {
  try {
    await expectOrdersCredited();
  } finally {
    await nats.close();
    await stopAll();
  }
});

let wallets = 0;
async function startWallet(): Promise<void> {
  walletNode = await startNode(`wallet-${++wallets}`, [wallet]);
  for (const broker of [gateway, payment.broker])
    await eventually("the wallet is seen", () => broker.registry.hasService("wallet", walletNode.nodeID), 30_000);
}

let users = 700;
async function paid(): Promise<{ userId: string; orderId: string }> {
  const userId = String(++users);
  const { orderId } = await makeOrder(gateway, userId);
  expect((await sendWebhook(gateway, cashierWebhook(orderId, { time: new Date().toISOString() }))).httpStatus).toBe(
    200,
  );
  await eventually("it is sent", async () => (await payment.outbox.unsent([orderId])).size === 0, 30_000);
  return { userId, orderId };
}

const expectCoins = (userId: string) =>
  eventually("300 coins", async () => (await call(gateway, "wallet.balance", { userId })).balance === 300, 30_000);
const isThere = () =>
  eventually("the stream is there", () => streams.streams.info(pay()).catch(() => undefined), 20_000);
const messages = async (orderId: string) =>
  (
    await rows<{ msg_id: string }>(
      "payment",
      "SELECT msg_id FROM t_outbox WHERE order_key = ? AND subject LIKE 'pay.%' ORDER BY id",
      [orderId],
    )
  ).map(({ msg_id }) => msg_id);

test("an order that the wallet had not read is credited once from the outbox, without its message being written anew", async () => {
  const first = await paid();
  await expectCoins(first.userId);
  await stopNode(walletNode);
  const { userId, orderId } = await paid();
  await streams.streams.delete(pay());
  await isThere();
  await startWallet();
  await expectCoins(userId);
  expect(await messages(orderId)).toEqual([`pay.recharge:${orderId}`]);
  expect(await messages(first.orderId)).toEqual([`pay.recharge:${first.orderId}`]);
});

test("an order that the outbox no longer has is published again at once, not after minutes", async () => {
  await stopNode(walletNode);
  const { userId, orderId } = await paid();
  await payment.mysql.run("DELETE FROM t_outbox WHERE order_key = ?", [orderId]);
  await streams.streams.delete(pay());
  await isThere();
  await startWallet();
  await expectCoins(userId);
  expect(await messages(orderId)).toEqual([`pay.recharge:${orderId}:again:1`]);
});
