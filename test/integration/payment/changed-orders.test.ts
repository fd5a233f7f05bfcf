import { randomUUID } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { call } from "../../../services/contracts.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { expectOrdersCredited } from "./credited-orders.ts";
import {
  cashierWebhook,
  makeOrder,
  marksOf,
  messagesOf,
  orderRow,
  type PaymentNode,
  sendWebhook,
  startPayment,
  wakeJobs,
} from "./payment-node.ts";

/** Coins that somebody makes by writing payment's orders, as its login at MySQL may. */

let gateway: ServiceBroker;
let payment: PaymentNode;

beforeAll(async () => {
  payment = (await startPayment("payment")).service;
  await startNode("wallet", [wallet]);
  gateway = await startNode("gateway", []);
  await gateway.waitForServices(["payment", "wallet"]);
});
afterEach(() => jest.restoreAllMocks());
afterAll(async () => {
  try {
    await expectOrdersCredited();
  } finally {
    await stopAll();
  }
});

const sql = (text: string, values: unknown[] = []) => payment.mysql.run(text, values);
const balance = async (userId: string) => (await call(gateway, "wallet.balance", { userId })).balance;
const expectCoins = (userId: string, coins: number) =>
  eventually(`${coins} coins`, async () => (await balance(userId)) === coins, 30_000);
const webhook = async (orderId: string, changes: Parameters<typeof cashierWebhook>[1] = {}) => {
  const time = new Date().toISOString();
  expect((await sendWebhook(gateway, cashierWebhook(orderId, { time, ...changes }))).httpStatus).toBe(200);
};
const by = { reason: "r", operator: "ada" };
const release = (orderId: string) => call(gateway, "payment.releaseOrder", { orderId, ...by });
const refund = (orderId: string) => call(gateway, "payment.refund", { orderId, ...by });
const setCoins = (orderId: string, coins: number) =>
  sql("UPDATE t_pay_order SET coins = ? WHERE order_id = ?", [coins, orderId]);

/** The errors that name the order. */
function errors() {
  const spy = jest.spyOn(payment.logger, "error");
  return (orderId: string) =>
    spy.mock.calls.filter(([about]) => (about as { orderId?: string }).orderId === orderId).map(([, text]) => text);
}

/** An order that somebody inserts as paid ten days ago, parked without a topic. */
async function forge(userId: string, columns: Record<string, unknown> = {}): Promise<string> {
  const orderId = randomUUID();
  const row = {
    ...{ order_id: orderId, product_id: 6, user_id: userId, source: 1, pay_channel: 3, status: 2, amount: 3_000 },
    ...{ coins: 1_000_000_000, biz_code: 10_001, transaction_id: null, ...columns },
  };
  await sql(
    `INSERT INTO t_pay_order SET ?, pay_time = UTC_TIMESTAMP(3) - INTERVAL 10 DAY, create_time = UTC_TIMESTAMP(3),
       update_time = UTC_TIMESTAMP(3)`,
    [row],
  );
  await sql("INSERT INTO t_pay_parked VALUES (?, 'topicMissing', '', UTC_TIMESTAMP(3))", [orderId]);
  return orderId;
}

async function expectRefused(orderId: string, userId: string): Promise<void> {
  wakeJobs(payment);
  await eventually("the mark", async () => (await marksOf(payment, orderId)).includes("creditChanged"), 30_000);
  expect(await marksOf(payment, orderId)).toEqual(["creditChanged"]);
  await expect(release(orderId)).rejects.toMatchObject({ type: "payOrderState" });
  expect(await marksOf(payment, orderId)).toEqual(["creditChanged"]);
  expect(await messagesOf(payment, orderId)).toEqual([]);
  expect(await balance(userId)).toBe(0);
}

test("an order that somebody inserts as paid and waiting for its topic is not credited, by no way, and is named", async () => {
  const named = errors();
  const orderId = await forge("701");
  await expectRefused(orderId, "701");
  expect(named(orderId)).toContainEqual(expect.stringContaining("not as payment wrote it"));
  await expect(refund(orderId)).rejects.toMatchObject({ type: "payOrderState" });
  expect((await marksOf(payment, orderId)).sort()).toEqual(["creditChanged", "refundChanged"]);
  await sql("DELETE FROM t_pay_order WHERE order_id = ?", [orderId]);
});

test("nor is one with the MACs of a genuine order", async () => {
  const { orderId: genuine } = await makeOrder(gateway, "702");
  await webhook(genuine);
  await expectCoins("702", 300);
  const row = (await orderRow(payment, genuine)) as Record<string, unknown>;
  const orderId = await forge("703", { coins: 300, terms_mac: row.terms_mac, paid_mac: row.paid_mac });
  await expectRefused(orderId, "703");
  await sql("DELETE FROM t_pay_order WHERE order_id = ?", [orderId]);
});

test("an order whose coins were changed before it was paid is paid and not credited, until its row is repaired", async () => {
  const named = errors();
  const userId = "704";
  const { orderId } = await makeOrder(gateway, userId);
  await setCoins(orderId, 1_000_000_000);
  await webhook(orderId);
  expect(await orderRow(payment, orderId)).toMatchObject({ status: 2 });
  expect(await marksOf(payment, orderId)).toEqual(["creditChanged"]);
  expect(named(orderId)).toContainEqual(expect.stringContaining("repair its row"));
  await expect(release(orderId)).rejects.toMatchObject({ type: "payOrderState" });
  expect(await messagesOf(payment, orderId)).toEqual([]);
  await setCoins(orderId, 300);
  await release(orderId);
  await expectCoins(userId, 300);
  expect(await marksOf(payment, orderId)).toEqual([]);
});

test("or its money is refunded, and no coins are taken", async () => {
  const { orderId } = await makeOrder(gateway, "705");
  await sql("UPDATE t_pay_order SET user_id = 706 WHERE order_id = ?", [orderId]);
  await webhook(orderId);
  await refund(orderId);
  expect(await marksOf(payment, orderId)).toEqual(["neverCredited"]);
  expect(await messagesOf(payment, orderId)).toEqual([]);
  await sql("UPDATE t_pay_order SET user_id = 705 WHERE order_id = ?", [orderId]);
});

test("of an order that was changed after its credit no refund takes other coins: it waits until its row is repaired", async () => {
  const userId = "707";
  const { orderId } = await makeOrder(gateway, userId);
  await webhook(orderId);
  await expectCoins(userId, 300);
  await setCoins(orderId, 1);
  await expect(refund(orderId)).rejects.toMatchObject({ type: "payOrderState" });
  await webhook(orderId, { status: "REFUNDED", noticeId: "back", refundAmount: 3_000 } as never);
  expect(await orderRow(payment, orderId)).toMatchObject({ status: 2 });
  expect(await marksOf(payment, orderId)).toEqual(["refundChanged"]);
  expect(await balance(userId)).toBe(300);
  await setCoins(orderId, 300);
  await refund(orderId);
  await expectCoins(userId, 0);
  expect(await marksOf(payment, orderId)).toEqual([]);
});
