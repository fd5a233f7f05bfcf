import type { ServiceBroker } from "moleculer";
import { call } from "../../../services/contracts.ts";
import { minuteOf } from "../../../services/last-minutes.ts";
import { paymentFigures } from "../../../services/payment/figures.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { type PaymentNode, startPayment } from "./payment-node.ts";

/** The figures of payment that staff looks at. */

jest.setTimeout(60_000);

let caller: ServiceBroker;
let service: PaymentNode;

beforeAll(async () => {
  const node = await startPayment("payment");
  service = node.service;
  caller = await startNode("caller", []);
  await waitForNode(caller, "payment", node.broker.nodeID);
});
afterAll(stopAll);

let next = 0;
const paid = (ms: number, coins: number) =>
  service.mysql.run(
    `INSERT INTO t_pay_order (order_id, product_id, user_id, source, pay_channel, status, amount, coins, biz_code,
       pay_time, create_time, update_time) VALUES (?, 1, 42, 1, 3, 2, 100, ?, 10001, ?, ?, ?)`,
    [`figure-${next++}`, coins, new Date(ms), new Date(ms), new Date(ms)],
  );
const park = (orderId: string, reason: string) =>
  service.mysql.run("INSERT INTO t_pay_parked (order_id, reason, transaction_id, create_time) VALUES (?, ?, '', ?)", [
    ...[orderId, reason, new Date()],
  ]);

test("paid orders and their coins stand in the minute of the payment, also where the webhook came late", async () => {
  const now = Date.now();
  await paid(now - 10 * 60_000, 60);
  await paid(now - 10 * 60_000 + 1, 40);
  const of = async (nowMs: number) => {
    const { perMinute } = await paymentFigures(service.mysql, nowMs);
    return new Map(perMinute.map(({ minute, ...sums }) => [minute, sums]));
  };
  const early = await of(now);
  const both = minuteOf(now - 10 * 60_000) === minuteOf(now - 10 * 60_000 + 1);
  if (both) expect(early.get(minuteOf(now - 10 * 60_000))).toEqual({ paidOrders: 2, chargedCoins: 100 });
  expect([...early.values()].reduce((sum, { chargedCoins }) => sum + chargedCoins, 0)).toBe(100);
  // Of the latest minutes at once, of earlier ones within a minute.
  await paid(now - 20 * 60_000, 7);
  await paid(now - 1_000, 3);
  const soon = await of(now + 1_000);
  expect([...soon.values()].reduce((sum, { chargedCoins }) => sum + chargedCoins, 0)).toBe(103);
  const later = await of(now + 61_000);
  expect([...later.values()].reduce((sum, { chargedCoins }) => sum + chargedCoins, 0)).toBe(110);
});

test("paid orders are read by the index of the time of payment", async () => {
  const plan = await service.mysql.query<{ key: string }>(
    "EXPLAIN SELECT COUNT(*), SUM(coins) FROM t_pay_order FORCE INDEX (idx_pay_time) WHERE pay_time >= ? GROUP BY DATE_FORMAT(pay_time, '%H:%i')",
    [new Date(Date.now() - 60_000)],
  );
  expect(plan[0]).toMatchObject({ key: "idx_pay_time" });
});

test("an order with two marks is one parked order", async () => {
  const before = (await call(caller, "payment.figures", {})).parked;
  await park("figure-0", "paidTwice");
  await park("figure-0", "creditHeld");
  await park("figure-1", "paidTwice");
  await eventually(
    "two more are parked",
    async () => (await call(caller, "payment.figures", {})).parked === before + 2,
  );
});
