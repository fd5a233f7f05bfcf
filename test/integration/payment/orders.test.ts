import type { ServiceBroker } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { call } from "../../../services/contracts.ts";
import { operatorCalls } from "../../support/operator-calls.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import {
  cashierWebhook,
  makeOrder,
  messagesOf,
  orderRow,
  type PaymentNode,
  sendWebhook,
  startPayment,
} from "./payment-node.ts";

let gateway: ServiceBroker;
let payment: PaymentNode;

beforeAll(async () => {
  payment = (await startPayment("payment-1")).service;
  gateway = await startNode("gateway", []);
  await gateway.waitForServices("payment");
});
afterAll(stopAll);

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => "none",
    (error: unknown) => failureName(error),
  );

describe("products", () => {
  test("are those on sale of a type, dearest first", async () => {
    await payment.mysql.run(
      `INSERT INTO t_pay_product (id, name, price, extra, type, valid_status) VALUES
         (90, 'off sale', 99999, '{"coin": 1}', 0, 0), (91, 'no coins', 99998, '{}', 0, 1)`,
    );
    expect(await call(gateway, "payment.products", { type: 0 })).toEqual([
      { id: 10, name: "100元旗鱼币", coinNum: 1000 },
      { id: 9, name: "50元旗鱼币", coinNum: 500 },
      { id: 8, name: "40元旗鱼币", coinNum: 400 },
      { id: 7, name: "35元旗鱼币", coinNum: 350 },
      { id: 6, name: "30元旗鱼币", coinNum: 300 },
    ]);
    await expect(call(gateway, "payment.products", { type: 7 })).rejects.toMatchObject({ type: "invalidParam" });
  });

  test("the service offers its contract and nothing of moleculer-db", () => {
    const names = gateway.registry.getActionList({}).map(({ name }: { name: string }) => name);
    expect(names.filter((name: string) => name.startsWith("payment.")).sort()).toEqual(
      [
        "products",
        "payChannels",
        "pay",
        "order",
        "webhook",
        "providerPage",
        "findOrder",
        "refund",
        "releaseOrder",
        "takeBill",
        "reconcile",
        ...["allProducts", "createProduct", "updateProduct", "topics", "setTopic", "parkedOrders", "removeMark"],
        ...["comparedDays", "differences", "resolveDifference"],
        ...["figures", "findOrders", "orderStory", "ordersOfKey", "ordersOfUser"],
        ...["eraseUser", "erasureObstacles"],
        "health",
      ]
        .map((name) => `payment.${name}`)
        .sort(),
    );
  });
});

describe("an order", () => {
  test("keeps amount, coins and biz code as they were when it was made", async () => {
    const { orderId, payUrl } = await makeOrder(gateway);
    expect(payUrl).toMatch(new RegExp(`^http://.*/sandbox/cashier\\?orderId=${orderId}$`));
    await payment.catalogue.update(6, { price: 1, extra: { coin: 1_000_000 } });
    try {
      expect(await call(gateway, "payment.order", { userId: "42", orderId })).toEqual({
        orderId,
        productId: 6,
        status: 1,
        coinNum: 300,
        amount: 3_000,
      });
      expect(await orderRow(payment, orderId)).toMatchObject({ biz_code: 10001, source: 1, pay_channel: 3 });
    } finally {
      await payment.catalogue.update(6, { price: 3_000, extra: { coin: 300 } });
    }
  });

  test("is shown to its payer only", async () => {
    const { orderId } = await makeOrder(gateway, "18446744073709551615");
    expect(await call(gateway, "payment.order", { userId: "18446744073709551615", orderId })).toMatchObject({
      status: 1,
    });
    expect(await failureOf(call(gateway, "payment.order", { userId: "43", orderId }))).toBe("payOrderUnknown");
    expect(await failureOf(call(gateway, "payment.order", { userId: "43", orderId: "none" }))).toBe("payOrderUnknown");
  });

  test.each([
    ["an unknown product", { productId: 999 }, "invalidParam"],
    ["a product off sale", { productId: 90 }, "invalidParam"],
    ["a product without coins", { productId: 91 }, "invalidParam"],
    ["a negative product", { productId: -6 }, "invalidParam"],
    ["an unknown source", { paySource: 3 }, "invalidParam"],
    ["source 0", { paySource: 0 }, "invalidParam"],
    ["an unknown channel", { payChannel: 4 }, "invalidParam"],
    ["Alipay, not configured", { payChannel: 0 }, "payChannelClosed"],
    ["WeChat, not configured", { payChannel: 1 }, "payChannelClosed"],
    ["UnionPay, not configured", { payChannel: 2 }, "payChannelClosed"],
  ])("of %s is refused and leaves no row", async (_what, changes, failure) => {
    const count = () => payment.mysql.query<{ n: string }>("SELECT COUNT(*) AS n FROM t_pay_order");
    const before = await count();
    const request = { userId: "42", productId: 6, paySource: 1, payChannel: 3, ...changes };
    expect(await failureOf(call(gateway, "payment.pay", request))).toBe(failure);
    expect(await count()).toEqual(before);
  });

  test.each(["wechat", "alipay"] as const)(
    "of %s takes no webhook while the channel is not configured",
    async (channel) => {
      const raw = { body: "{}", headers: {}, query: { param: "{}" }, ip: "127.0.0.1" };
      expect(await call(gateway, "payment.webhook", { channel, ...raw })).toBeNull();
    },
  );
});

describe("operators", () => {
  const auditOf = (orderId: string) =>
    payment.mysql.query<{ operator: string; action: string; outcome: string }>(
      `SELECT operator, action, outcome FROM ${operatorCalls} WHERE params LIKE ? ORDER BY id`,
      [`%${orderId}%`],
    );
  const refund = (orderId: string) =>
    call(gateway, "payment.refund", { orderId, reason: "wrong product", operator: "alice" });

  test("refund a paid order once, also at the same moment, with message, event and audit rows", async () => {
    const { orderId } = await makeOrder(gateway);
    expect(await failureOf(refund(orderId))).toBe("payOrderState");
    await sendWebhook(gateway, cashierWebhook(orderId));
    const outcomes = await Promise.all([failureOf(refund(orderId)), failureOf(refund(orderId))]);
    expect(outcomes.sort()).toEqual(["none", "payOrderState"]);
    expect(await failureOf(refund(orderId))).toBe("payOrderState");
    expect(await call(gateway, "payment.order", { userId: "42", orderId })).toMatchObject({ status: 5 });
    expect(await messagesOf(payment, orderId)).toEqual([
      "event.payment.paid",
      "pay.recharge",
      "pay.refund",
      "event.payment.refunded",
    ]);
    expect(await orderRow(payment, orderId)).toMatchObject({ refund_reason: "wrong product" });
    expect(await auditOf(orderId)).toMatchObject([
      { operator: "alice", action: "payment.refund", outcome: "payOrderState" },
      { operator: "alice", action: "payment.refund", outcome: expect.any(String) },
      { operator: "alice", action: "payment.refund", outcome: expect.any(String) },
      { operator: "alice", action: "payment.refund", outcome: "payOrderState" },
    ]);
    await eventually("everything published", async () => (await payment.outbox.lag()).rows === 0, 30_000);
  });

  test("a webhook repeated after the refund is answered with success and credits nothing again", async () => {
    const { orderId } = await makeOrder(gateway);
    await sendWebhook(gateway, cashierWebhook(orderId));
    await refund(orderId);
    expect((await sendWebhook(gateway, cashierWebhook(orderId))).httpStatus).toBe(200);
    expect((await messagesOf(payment, orderId)).filter((subject) => subject === "pay.recharge")).toHaveLength(1);
    expect((await orderRow(payment, orderId))?.status).toBe(5);
  });

  test("a refund that dies after the state change leaves the order paid", async () => {
    const { orderId } = await makeOrder(gateway);
    await sendWebhook(gateway, cashierWebhook(orderId));
    payment.steps = {
      afterStateChange() {
        throw new Error("the node died");
      },
    };
    await expect(refund(orderId)).rejects.toThrow("the node died");
    payment.steps = {};
    expect((await orderRow(payment, orderId))?.status).toBe(2);
    expect(await refund(orderId)).toMatchObject({ status: 5 });
  });

  test("see anybody's order, and leave a row for looking", async () => {
    const { orderId } = await makeOrder(gateway, "77");
    const found = await call(gateway, "payment.findOrder", { orderId, operator: "alice" });
    expect(found).toMatchObject({ orderId, userId: "77", status: 1 });
    expect(await failureOf(call(gateway, "payment.findOrder", { orderId: "none", operator: "alice" }))).toBe(
      "payOrderUnknown",
    );
    expect(await auditOf(orderId)).toMatchObject([{ action: "payment.findOrder", outcome: "succeeded" }]);
  });
});
