import type { ServiceBroker } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { call } from "../../../services/contracts.ts";
import { uncreditedOrdersJob } from "../../../services/payment/maintenance/uncredited-orders.ts";
import { signedHeaders } from "../../../services/payment/providers/cashier/cashier-webhook.ts";
import { RowBudget } from "../../../services/payment/row-budget.ts";
import { paySignatures } from "../../../services/signing-keys.ts";
import { type CuttableServer, cuttable } from "../../support/cuttable-server.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import {
  cashierWebhook,
  makeOrder,
  marksOf,
  messagesOf,
  orderRow,
  type PaymentNode,
  sendWebhook,
  startPayment,
  webhooksOf,
} from "./payment-node.ts";

let database: CuttableServer;
let gateway: ServiceBroker;
let payment: PaymentNode;
let other: PaymentNode;

beforeAll(async () => {
  database = await cuttable(process.env.MYSQL_URL as string);
  process.env.MYSQL_URL = database.url;
  payment = (await startPayment("payment-1")).service;
  other = (await startPayment("payment-2")).service;
  gateway = await startNode("gateway", []);
  for (const node of [payment, other]) await waitForNode(gateway, "payment", node.broker.nodeID);
});
afterAll(async () => {
  await stopAll();
  await database.close();
});
afterEach(() => {
  payment.steps = {};
  other.steps = {};
});

/** What a node does that has the lease. */
async function creditParked(node: PaymentNode): Promise<void> {
  const job = uncreditedOrdersJob(node);
  await job.handle(await job.due(job.atOnce));
}

const statusOf = async (orderId: string) => (await call(gateway, "payment.order", { userId: "42", orderId })).status;
const paidMessages = ["event.payment.paid", "pay.recharge"];

describe("a genuine webhook of the right amount", () => {
  test("makes the order paid, with its message to the topic and its event published once", async () => {
    const { orderId } = await makeOrder(gateway);
    const answer = await sendWebhook(gateway, cashierWebhook(orderId));
    expect(answer).toMatchObject({ httpStatus: 200, contentType: expect.stringContaining("application/json") });
    expect(JSON.parse(answer.body)).toMatchObject({ result: "SUCCESS" });
    expect(await call(gateway, "payment.order", { userId: "42", orderId })).toEqual({
      orderId,
      productId: 6,
      status: 2,
      coinNum: 300,
      amount: 3_000,
      payTime: "2030-01-02T03:04:05.678Z",
    });
    expect(await orderRow(payment, orderId)).toMatchObject({ transaction_id: `t-${orderId}` });
    expect(await marksOf(payment, orderId)).toEqual([]);
    expect(await webhooksOf(payment, orderId)).toMatchObject([{ outcome: "applied" }]);

    const stream = await payment.jetstream.client.streams.get(`${natsPrefix()}PAY`);
    const message = await eventually(
      "the message of the topic",
      () => stream.getMessage({ last_by_subj: `${natsPrefix()}pay.recharge` }).catch(() => null),
      30_000,
    );
    const opened = paySignatures().open("pay.recharge", message.string());
    expect(JSON.parse("body" in opened ? opened.body : opened.fault)).toEqual({
      orderId,
      userId: "42",
      coins: 300,
      amount: 3_000,
      bizCode: 10001,
      productId: 6,
      source: expect.any(Number),
      payChannel: expect.any(Number),
      transactionId: `t-${orderId}`,
      time: "2030-01-02T03:04:05.678Z",
    });
    expect(message.header.get("Nats-Msg-Id")).toMatch(new RegExp(`^pay.recharge:${orderId}:[A-Za-z0-9_-]{32}$`));
    const events = await payment.jetstream.client.streams.get(`${natsPrefix()}EVENTS`);
    const event = await eventually(
      "the event",
      () => events.getMessage({ last_by_subj: `${natsPrefix()}event.payment.paid` }).catch(() => null),
      30_000,
    );
    expect(event.json()).toMatchObject({
      id: `payment.paid:${orderId}`,
      name: "payment.paid",
      data: { orderId, userId: "42", productId: 6, amount: 3_000, coins: 300, bizCode: 10001 },
    });
  });

  test("that comes 50 times at once to two nodes is applied once and answered with success each time", async () => {
    const { orderId } = await makeOrder(gateway);
    const webhook = cashierWebhook(orderId);
    const answers = await Promise.all(Array.from({ length: 50 }, () => sendWebhook(gateway, webhook)));
    expect(answers.map(({ httpStatus }) => httpStatus)).toEqual(Array(50).fill(200));
    expect(await messagesOf(payment, orderId)).toEqual(paidMessages);
    const outcomes = (await webhooksOf(payment, orderId)).map(({ outcome }) => outcome).sort();
    expect(outcomes).toEqual(["applied", ...Array(49).fill("repeated")]);
  });

  test("that meets a cancel at the same moment: one of them stands, and no cancelled order is credited", async () => {
    for (let round = 0; round < 8; round++) {
      const { orderId } = await makeOrder(gateway);
      const paid = cashierWebhook(orderId);
      const cancelled = cashierWebhook(orderId, { status: "CANCELLED", noticeId: `c-${round}` });
      const both = round % 2 ? [paid, cancelled] : [cancelled, paid];
      const answers = await Promise.all(both.map((webhook) => sendWebhook(gateway, webhook)));
      expect(answers.map(({ httpStatus }) => httpStatus)).toEqual([200, 200]);
      const status = await statusOf(orderId);
      expect([2, 3]).toContain(status);
      expect(await messagesOf(payment, orderId)).toEqual(status === 2 ? paidMessages : []);
      expect(await marksOf(payment, orderId)).toEqual(status === 2 ? [] : ["paidWhenClosed"]);
    }
  });

  test("makes the order paid although somebody with payment's login has put seals at the next places of all chains", async () => {
    const first = await makeOrder(gateway);
    await sendWebhook(gateway, cashierWebhook(first.orderId));
    await payment.mysql.run(
      `INSERT INTO t_ledger_seal (writer, number, previous, book, first_id, last_id, id_step, row_count, row_sum,
         rows_time, rows_digest, row_tags, key_name, digest)
       SELECT writer, MAX(number) + 1, MAX(previous), 8, 1, 1, 1, 1, 0, UTC_TIMESTAMP(3), MAX(rows_digest), '', 'k', MAX(digest)
       FROM t_ledger_seal GROUP BY writer`,
    );
    const { orderId } = await makeOrder(gateway);
    for (const nth of ["first", "repeated"]) {
      const answer = await sendWebhook(gateway, cashierWebhook(orderId));
      expect([nth, answer.httpStatus]).toEqual([nth, 200]);
    }
    expect(await statusOf(orderId)).toBe(2);
    expect((await webhooksOf(payment, orderId)).map(({ outcome }) => outcome)).toEqual(["applied", "repeated"]);
  });
});

describe("a webhook that is not genuine changes nothing and is recorded", () => {
  const hours = 3_600_000;

  test.each([
    ["of another amount", 400, (id: string) => sendWebhook(gateway, cashierWebhook(id, { amount: 1 }))],
    ["of a larger amount", 400, (id: string) => sendWebhook(gateway, cashierWebhook(id, { amount: 3_001 }))],
    ["for another merchant", 400, (id: string) => sendWebhook(gateway, cashierWebhook(id, { merchant: "somebody" }))],
    ["in another currency", 400, (id: string) => sendWebhook(gateway, cashierWebhook(id, { currency: "USD" }))],
    ["that is unsigned", 401, (id: string) => sendWebhook(gateway, cashierWebhook(id), { headers: {} })],
    [
      "that is stale",
      401,
      (id: string) => {
        const webhook = cashierWebhook(id);
        const headers = signedHeaders(
          process.env.CASHIER_SECRET as string,
          JSON.stringify(webhook),
          Date.now() - limits.payment.webhookFreshnessMs - hours,
        );
        return sendWebhook(gateway, webhook, { headers });
      },
    ],
    [
      "signed with another secret",
      401,
      (id: string) => {
        const webhook = cashierWebhook(id);
        return sendWebhook(gateway, webhook, {
          headers: signedHeaders("not-the-secret-of-the-cashier", JSON.stringify(webhook)),
        });
      },
    ],
    [
      "whose body was changed after signing",
      401,
      (id: string) => {
        const webhook = cashierWebhook(id, { amount: 1 });
        return sendWebhook(gateway, webhook, { body: JSON.stringify(cashierWebhook(id)) });
      },
    ],
    [
      "with an amount that is text",
      400,
      (id: string) => sendWebhook(gateway, { ...cashierWebhook(id), amount: "3000" }),
    ],
  ])("%s", async (_what, httpStatus, attempt) => {
    const { orderId } = await makeOrder(gateway);
    const [before] = await payment.mysql.query<{ n: string }>(
      "SELECT COUNT(*) AS n FROM t_pay_webhook WHERE outcome = 'refused'",
    );
    const answer = await attempt(orderId);
    expect(answer.httpStatus).toBe(httpStatus);
    expect(JSON.parse(answer.body)).toMatchObject({ result: "FAIL" });
    expect(await statusOf(orderId)).toBe(1);
    expect(await messagesOf(payment, orderId)).toEqual([]);
    const [after] = await payment.mysql.query<{ n: string }>(
      "SELECT COUNT(*) AS n FROM t_pay_webhook WHERE outcome = 'refused'",
    );
    expect(Number(after?.n)).toBe(Number(before?.n) + 1);
  });

  test("by a flood of strangers are refused each, and leave so many rows a minute", async () => {
    const count = async () => {
      const [row] = await payment.mysql.query<{ n: string }>("SELECT COUNT(*) AS n FROM t_pay_webhook");
      return Number(row?.n);
    };
    for (const node of [payment, other]) node.refusedRows = new RowBudget(2);
    const before = await count();
    const forged = { body: "{}", headers: signedHeaders("not-the-secret-of-the-cashier", "{}") };
    const answers = await Promise.all(Array.from({ length: 20 }, () => sendWebhook(gateway, {}, forged)));
    expect(answers.map(({ httpStatus }) => httpStatus)).toEqual(Array(20).fill(401));
    expect(await count()).toBe(before + 4);
    // What is genuine is written down all the same.
    await sendWebhook(gateway, cashierWebhook("no-such-order-either"));
    expect(await count()).toBe(before + 5);
    for (const node of [payment, other]) node.refusedRows = new RowBudget(limits.payment.refusedWebhookRowsPerMinute);
  });

  test("for an order that does not exist", async () => {
    const answer = await sendWebhook(gateway, cashierWebhook("no-such-order"));
    expect(answer.httpStatus).toBe(404);
    expect(await webhooksOf(payment, "no-such-order")).toMatchObject([{ outcome: "refused", reason: "orderUnknown" }]);
  });

  test("for an order of another channel, genuine as it may be", async () => {
    const { orderId } = await makeOrder(gateway);
    await payment.mysql.run("UPDATE t_pay_order SET pay_channel = 1 WHERE order_id = ?", [orderId]);
    expect((await sendWebhook(gateway, cashierWebhook(orderId))).httpStatus).toBe(400);
    expect(await statusOf(orderId)).toBe(1);
  });

  test("whose transaction has paid another order", async () => {
    const [first, second] = [await makeOrder(gateway), await makeOrder(gateway)];
    const transactionId = `one-payment-${first.orderId}`.slice(0, 64);
    await sendWebhook(gateway, cashierWebhook(first.orderId, { transactionId }));
    const answer = await sendWebhook(gateway, cashierWebhook(second.orderId, { transactionId }));
    expect(answer.httpStatus).toBe(409);
    expect(await statusOf(second.orderId)).toBe(1);
    expect(await messagesOf(payment, second.orderId)).toEqual([]);
  });
});

describe("an order that is over is never credited", () => {
  test("cancelled: a payment is parked for an operator and the provider need not call again", async () => {
    const { orderId } = await makeOrder(gateway);
    await sendWebhook(gateway, cashierWebhook(orderId, { status: "CANCELLED", noticeId: "c" }));
    expect(await statusOf(orderId)).toBe(3);
    expect((await sendWebhook(gateway, cashierWebhook(orderId))).httpStatus).toBe(200);
    expect(await statusOf(orderId)).toBe(3);
    expect(await messagesOf(payment, orderId)).toEqual([]);
    expect(await marksOf(payment, orderId)).toEqual(["paidWhenClosed"]);
    expect((await webhooksOf(payment, orderId)).map(({ outcome }) => outcome)).toEqual(["applied", "parked"]);
  });

  test("invalid: the same", async () => {
    const { orderId } = await makeOrder(gateway);
    await payment.mysql.run("UPDATE t_pay_order SET status = 4 WHERE order_id = ?", [orderId]);
    expect((await sendWebhook(gateway, cashierWebhook(orderId))).httpStatus).toBe(200);
    expect(await statusOf(orderId)).toBe(4);
    expect(await messagesOf(payment, orderId)).toEqual([]);
  });

  test("paid: a second payment of it is parked, a late cancel is ignored", async () => {
    const { orderId } = await makeOrder(gateway);
    await sendWebhook(gateway, cashierWebhook(orderId));
    await sendWebhook(gateway, cashierWebhook(orderId, { transactionId: "second-payment", noticeId: "n2" }));
    await sendWebhook(gateway, cashierWebhook(orderId, { status: "CANCELLED", noticeId: "n3" }));
    expect(await statusOf(orderId)).toBe(2);
    expect(await orderRow(payment, orderId)).toMatchObject({ transaction_id: `t-${orderId}` });
    expect(await marksOf(payment, orderId)).toEqual(["paidTwice"]);
    expect(await messagesOf(payment, orderId)).toEqual(paidMessages);
    const outcomes = (await webhooksOf(payment, orderId)).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(["applied", "parked", "ignored"]);
  });
});

describe("a biz code without a usable topic", () => {
  const topic = (change: string) => payment.mysql.run(`UPDATE t_pay_topic SET ${change} WHERE biz_code = 10001`);

  test.each([
    ["is off", "status = 0"],
    ["is no subject of the stream", "topic = 'event.payment.paid'"],
  ])(
    "that %s leaves the order paid and parked, and its message goes out once the topic is back",
    async (_why, broken) => {
      await topic(broken);
      const { orderId } = await makeOrder(gateway);
      expect((await sendWebhook(gateway, cashierWebhook(orderId))).httpStatus).toBe(200);
      expect(await statusOf(orderId)).toBe(2);
      expect(await marksOf(payment, orderId)).toEqual(["topicMissing"]);
      await creditParked(payment);
      expect(await messagesOf(payment, orderId)).toEqual(["event.payment.paid"]);

      await topic("status = 1, topic = 'pay.recharge'");
      await Promise.all([creditParked(payment), creditParked(other)]);
      expect(await messagesOf(payment, orderId)).toEqual(paidMessages);
      expect(await marksOf(payment, orderId)).toEqual([]);
    },
  );

  test("refunded meanwhile, the order takes nothing back, since nothing was credited", async () => {
    await topic("status = 0");
    const { orderId } = await makeOrder(gateway);
    await sendWebhook(gateway, cashierWebhook(orderId));
    await call(gateway, "payment.refund", { orderId, reason: "never credited", operator: "o" });
    await topic("status = 1");
    await creditParked(payment);
    expect(await messagesOf(payment, orderId)).toEqual(["event.payment.paid", "event.payment.refunded"]);
  });
});

describe("a node that dies in the middle of a webhook", () => {
  test.each(["afterStateChange", "beforeCommit"] as const)(
    "at %s leaves nothing, and the next call completes it",
    async (point) => {
      const { orderId } = await makeOrder(gateway);
      const die = () => {
        throw new Error("the node died");
      };
      payment.steps = { [point]: die };
      other.steps = { [point]: die };
      await expect(sendWebhook(gateway, cashierWebhook(orderId))).rejects.toThrow("the node died");
      expect(await statusOf(orderId)).toBe(1);
      expect(await messagesOf(payment, orderId)).toEqual([]);
      expect(await webhooksOf(payment, orderId)).toEqual([]);

      payment.steps = {};
      other.steps = {};
      expect((await sendWebhook(gateway, cashierWebhook(orderId))).httpStatus).toBe(200);
      expect(await statusOf(orderId)).toBe(2);
      expect(await messagesOf(payment, orderId)).toEqual(paidMessages);
    },
  );

  test("without its database it fails as unavailable, so that the provider calls again", async () => {
    const { orderId } = await makeOrder(gateway);
    database.cut();
    const error = await sendWebhook(gateway, cashierWebhook(orderId)).catch((caught: unknown) => caught);
    expect(failureName(error)).toBe("unavailable");
    database.mend();
    const answer = await eventually(
      "an answer",
      () => sendWebhook(gateway, cashierWebhook(orderId)).catch(() => null),
      30_000,
    );
    expect(answer.httpStatus).toBe(200);
    expect(await messagesOf(payment, orderId)).toEqual(paidMessages);
  });
});
