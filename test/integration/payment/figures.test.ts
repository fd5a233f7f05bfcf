import type { ServiceBroker } from "moleculer";
import { call } from "../../../services/contracts.ts";
import { minuteOf } from "../../../services/last-minutes.ts";
import { paymentFigures } from "../../../services/payment/figures.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { type PaymentNode, startPayment } from "./payment-node.ts";

/** The figures of payment that staff looks at. */

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
    30_000,
  );
});

test("the orders that still need a key are found part by part, and no others", async () => {
  const order = (id: string, status: number, terms: string | null, paidMac: string | null = null) =>
    service.mysql.run(
      `INSERT INTO t_pay_order (order_id, product_id, user_id, source, pay_channel, status, amount, coins, biz_code,
         terms_mac, paid_mac, create_time, update_time) VALUES (?, 1, 42, 1, 3, ?, 100, 60, 10001, ?, ?, ?, ?)`,
      [id, status, terms, paidMac, new Date(), new Date()],
    );
  await order("needs-by-terms", 0, "old:x");
  await order("needs-by-payment", 2, "new:x", "old:y");
  await order("cancelled", 3, "old:x");
  await order("refunded", 5, "old:x", "old:y");
  await order("of-another", 2, "older:x", "olde:y");
  await order("like-it", 2, "ol_:x");
  await order("without", 1, null);
  const found: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page: { list: string[]; nextCursor: string | null } = await call(caller, "payment.ordersOfKey", {
      ...{ keyName: "old", ...(cursor === undefined ? {} : { cursor }) },
    });
    found.push(...page.list);
    cursor = page.nextCursor;
  }
  expect(found).toEqual(["needs-by-terms", "needs-by-payment"]);
  expect((await call(caller, "payment.ordersOfKey", { keyName: "none" })).list).toEqual([]);
});
