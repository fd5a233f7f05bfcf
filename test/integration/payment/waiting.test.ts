import { call } from "../../../services/contracts.ts";
import { eventually } from "../../support/system.ts";
import { expectGauges, gaugeOf } from "./payment-gauges.ts";
import { freeJobs, leaseJobs, marksOf } from "./payment-node.ts";
import {
  coinsOf,
  credited,
  deliver,
  expectCoins,
  paidWebhook,
  place,
  placePaid,
  statusOf,
  useProviderNodes,
  wakeMaintenance,
} from "./provider-nodes.ts";

const nodes = useProviderNodes();

const sql = (text: string, values: unknown[] = []) => nodes.payments[0].mysql.run(text, values);

const gauge = (node: 0 | 1, name: string, labels?: Record<string, string>) => gaugeOf(nodes, node, name, labels);
const expectGauge = (name: string, value: number, labels?: Record<string, string>) =>
  expectGauges(nodes, name, value, labels);

describe("a paid order whose biz code", () => {
  const repair = () =>
    call(nodes.gateway, "payment.setTopic", { bizCode: 10_001, topic: "pay.recharge", operator: "alice" });

  test.each([
    ["is unknown", "DELETE FROM t_pay_topic WHERE biz_code = 10001"],
    ["is disabled", "UPDATE t_pay_topic SET status = 0 WHERE biz_code = 10001"],
  ])(
    "%s stays paid and parked with an alert, and is credited once an operator repairs the topic",
    async (_what, broken) => {
      const errors = nodes.payments.map(({ logger }) => jest.spyOn(logger, "error"));
      await sql(broken);
      const order = await placePaid(nodes, "wechat");
      expect((await deliver(nodes, "wechat", paidWebhook(nodes, order))).httpStatus).toBe(200);
      expect(await statusOf(nodes, order)).toBe(2);
      expect(await marksOf(nodes.payments[0], order.orderId)).toEqual(["topicMissing"]);
      const said = errors.flatMap(({ mock }) => mock.calls as unknown as [{ orderId?: string }, string][]);
      expect(said.filter(([about]) => about.orderId === order.orderId)).toMatchObject([
        [{ parked: "topicMissing" }, expect.stringContaining("topic/set")],
      ]);
      await expectGauge("ovation.payment.orders.parked", 1, { why: "topicMissing" });
      wakeMaintenance(nodes);
      expect(await coinsOf(nodes, order)).toBe(0);

      expect(await repair()).toMatchObject({ bizCode: 10_001, status: 1, waiting: 1 });
      wakeMaintenance(nodes);
      await expectCoins(nodes, order, 300);
      expect(await marksOf(nodes.payments[0], order.orderId)).toEqual([]);
      await expectGauge("ovation.payment.orders.parked", 0, { why: "topicMissing" });
      for (const error of errors) error.mockRestore();
    },
  );
});

test("the metrics show open orders, a maintenance job that is late, refunds under way and messages to the wallet", async () => {
  await sql("DELETE FROM t_pay_watch");
  const order = await credited(nodes, "wechat");
  await place(nodes, "wechat");
  await expectGauge("ovation.payment.orders.watched", 2);
  await expectGauge("ovation.payment.maintenance.late", 0);

  await leaseJobs(nodes.payments[0], "a-node-that-hangs", 180_000);
  await sql("UPDATE t_pay_watch SET next_time = UTC_TIMESTAMP(3) - INTERVAL 90 SECOND");
  await eventually("late", async () => ((await gauge(0, "ovation.payment.maintenance.late")) ?? 0) >= 90, 30_000);
  await sql("DELETE FROM t_pay_message_watch");
  await call(nodes.gateway, "payment.refund", { orderId: order.orderId, reason: "r", operator: "alice" });
  await expectGauge("ovation.payment.refunds.waiting", 1);
  await expectGauge("ovation.payment.messages.watched", 1);
  await sql("DELETE FROM t_pay_watch");
  await sql("UPDATE t_pay_message_watch SET next_time = UTC_TIMESTAMP(3) - INTERVAL 90 SECOND");
  await eventually("late", async () => ((await gauge(0, "ovation.payment.maintenance.late")) ?? 0) >= 90, 30_000);
  await freeJobs(nodes.payments[0]);
  await expectGauge("ovation.payment.maintenance.late", 0);
  await expectGauge("ovation.payment.messages.watched", 0);
});

test("the metrics show messages that are not published, how many and for how long", async () => {
  await expectGauge("ovation.outbox.rows", 0);
  const add = (id: string) =>
    sql(
      `INSERT INTO t_outbox (subject, msg_id, order_key, payload, create_time)
       VALUES ('no.such.subject', ?, ?, '{}', UTC_TIMESTAMP(3) - INTERVAL 30 SECOND)`,
      [id, id],
    );
  await add("stuck-1");
  await add("stuck-2");
  await expectGauge("ovation.outbox.rows", 2);
  expect(await gauge(0, "ovation.outbox.oldest")).toBeGreaterThanOrEqual(30);
  await sql("DELETE FROM t_outbox WHERE subject = 'no.such.subject'");
  await expectGauge("ovation.outbox.rows", 0);
  await expectGauge("ovation.outbox.oldest", 0);
});
