import { limits } from "../../../config/limits.ts";
import { call } from "../../../services/contracts.ts";
import { bucketOf } from "../../../services/wallet-buckets.ts";
import { eventually } from "../../support/system.ts";
import { marksOf, webhooksOf } from "./payment-node.ts";
import {
  coinsOf,
  credited,
  deliver,
  expectCoins,
  type PlacedOrder,
  statusOf,
  useProviderNodes,
  wakeMaintenance,
  wechatCalls,
} from "./provider-nodes.ts";

const nodes = useProviderNodes();

const refund = ({ orderId }: PlacedOrder) =>
  call(nodes.gateway, "payment.refund", { orderId, reason: "asked for", operator: "alice" });

async function refundRow({ orderId }: PlacedOrder) {
  const [row] = await nodes.payments[0].mysql.query<{
    state: string;
    origin: string;
    attempts: number;
    problem: string | null;
  }>("SELECT state, origin, attempts, problem FROM t_pay_refund WHERE order_id = ?", [orderId]);
  return row;
}

/** Waits for what a condition asks of the refund, with the maintenance jobs awake and the refund due. */
async function refundReaches(order: PlacedOrder, state: string): Promise<void> {
  await eventually(
    `the refund is ${state}`,
    async () => {
      wakeMaintenance(nodes);
      return (await refundRow(order))?.state === state;
    },
    30_000,
  );
}

/** Waits for the first attempt, and for what it leaves behind. */
const attempted = (order: PlacedOrder) =>
  eventually(
    "an attempt",
    async () => {
      wakeMaintenance(nodes);
      return (await refundRow(order))?.attempts === 1;
    },
    30_000,
  );

const again = ({ orderId }: PlacedOrder) =>
  nodes.payments[0].mysql.run(
    "UPDATE t_pay_refund SET next_time = UTC_TIMESTAMP(3) WHERE order_id = ? AND next_time IS NOT NULL",
    [orderId],
  );

describe("an operator's refund", () => {
  test("through WeChat Pay takes the coins at once, and is done when the webhook reports it", async () => {
    const order = await credited(nodes, "wechat");
    expect(await refund(order)).toMatchObject({ status: 5 });
    await refundReaches(order, "processing");
    expect(nodes.wechat.trade(order.tradeNo)).toMatchObject({ state: "REFUND" });
    await expectCoins(nodes, order, 0);
    for (let time = 0; time < 3; time++)
      expect((await deliver(nodes, "wechat", nodes.wechat.refundWebhook(order.tradeNo))).httpStatus).toBe(200);
    expect(await refundRow(order)).toMatchObject({ state: "done", origin: "operator" });
    expect((await webhooksOf(nodes.payments[0], order.orderId)).map(({ outcome }) => outcome)).toEqual([
      "applied",
      "applied",
      "repeated",
      "repeated",
    ]);
    expect(await coinsOf(nodes, order)).toBe(0);
  });

  test("whose webhook never comes is asked about until it is done, and is one refund", async () => {
    const order = await credited(nodes, "wechat");
    await refund(order);
    await refundReaches(order, "processing");
    Object.assign(nodes.wechat.trade(order.tradeNo).refund ?? {}, { status: "SUCCESS" });
    await again(order);
    await refundReaches(order, "done");
    expect(wechatCalls(nodes, order, "refund")).toBe(2);
  });

  test("through Alipay is done with its answer", async () => {
    const order = await credited(nodes, "alipay");
    await refund(order);
    await refundReaches(order, "done");
    expect(nodes.alipay.trade(order.tradeNo)).toMatchObject({ refunded: "30.00", status: "TRADE_CLOSED" });
    expect((await deliver(nodes, "alipay", nodes.alipay.webhook(order.tradeNo))).body).toBe("success");
    await expectCoins(nodes, order, 0);
  });

  test("asked for twice at once, and while its provider's webhook comes, is one", async () => {
    const order = await credited(nodes, "wechat");
    const webhook = nodes.wechat.refundWebhook(order.tradeNo);
    const outcomes = await Promise.allSettled([refund(order), refund(order), deliver(nodes, "wechat", webhook)]);
    expect(outcomes.slice(0, 2).filter(({ status }) => status === "fulfilled").length).toBeLessThanOrEqual(1);
    expect(outcomes[2]?.status).toBe("fulfilled");
    await refundReaches(order, "done");
    expect(await statusOf(nodes, order)).toBe(5);
    await expectCoins(nodes, order, 0);
  });

  test("waits while the provider is down", async () => {
    const order = await credited(nodes, "wechat");
    nodes.wechat.server.down = 500;
    await refund(order);
    await attempted(order);
    expect(await refundRow(order)).toMatchObject({ state: "requested", problem: "answered 500" });
    nodes.wechat.server.down = false;
    await again(order);
    await refundReaches(order, "processing");
  });

  test("that the provider cannot carry out waits for a person, and is over once the money went back", async () => {
    const order = await credited(nodes, "wechat");
    nodes.wechat.refundStatus = "ABNORMAL";
    await refund(order);
    await refundReaches(order, "failed");
    expect(await marksOf(nodes.payments[0], order.orderId)).toEqual(["refundFailed"]);
    await deliver(nodes, "wechat", nodes.wechat.refundWebhook(order.tradeNo));
    expect(await refundRow(order)).toMatchObject({ state: "done" });
    expect(await marksOf(nodes.payments[0], order.orderId)).toEqual([]);
  });

  test("that never gets through waits for a person in the end", async () => {
    const order = await credited(nodes, "wechat");
    nodes.wechat.server.down = true;
    await refund(order);
    await attempted(order);
    await nodes.payments[0].mysql.run("UPDATE t_pay_refund SET attempts = ? WHERE order_id = ?", [
      limits.payment.refundAttempts,
      order.orderId,
    ]);
    await again(order);
    await refundReaches(order, "failed");
    expect(await marksOf(nodes.payments[0], order.orderId)).toEqual(["refundFailed"]);
  });

  test("is failed where the webhook reports it", async () => {
    const order = await credited(nodes, "wechat");
    await refund(order);
    await refundReaches(order, "processing");
    const content = { refund_status: "ABNORMAL" };
    await deliver(nodes, "wechat", nodes.wechat.refundWebhook(order.tradeNo, { content }));
    expect(await refundRow(order)).toMatchObject({ state: "failed" });
    expect(await marksOf(nodes.payments[0], order.orderId)).toEqual(["refundFailed"]);
  });
});

test("an operator's refund through the cashier is done at once and stands in its book", async () => {
  const order = await credited(nodes, "cashier");
  await refund(order);
  await refundReaches(order, "done");
  await expectCoins(nodes, order, 0);
  expect(
    await nodes.payments[0].mysql.query("SELECT transaction_id FROM t_cashier_refund WHERE order_id = ?", [
      order.orderId,
    ]),
  ).toEqual([{ transaction_id: nodes.cashier.trade(order.tradeNo).transactionId }]);
});

test("coins that are not there any more when an order is refunded become a debt", async () => {
  const order = await credited(nodes, "wechat");
  const gift = { orderId: `gift-${order.orderId}`, senderId: order.userId, receiverId: "7", roomId: 1, giftId: 1 };
  await call(nodes.gateway, "wallet.consumeForSendGift", {
    bucket: bucketOf(order.userId),
    gifts: [{ ...gift, count: 1, price: 200, sharePercent: 50 }],
  });
  await refund(order);
  await eventually(
    "the debt",
    async () => {
      const { balance, debt } = await call(nodes.gateway, "wallet.balance", { userId: order.userId });
      return balance === 0 && debt === 200;
    },
    30_000,
  );
});
