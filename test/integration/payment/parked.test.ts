import { call } from "../../../services/contracts.ts";
import type { RawWebhook } from "../../../services/payment/payment.contract.ts";
import type { OpenProvider } from "../../../services/payment/providers/provider.ts";
import { takeAnswer } from "../../../services/payment/webhooks.ts";
import { eventually } from "../../support/system.ts";
import { marksOf, messagesOf, webhooksOf } from "./payment-node.ts";
import {
  coinsOf,
  credited,
  deliver,
  expectCoins,
  type PlacedOrder,
  paidWebhook,
  placePaid,
  refundWebhook,
  statusOf,
  useProviderNodes,
  wakeMaintenance,
} from "./provider-nodes.ts";

const nodes = useProviderNodes();

const sql = (text: string, values: unknown[] = []) => nodes.payments[0].mysql.run(text, values);
const marks = ({ orderId }: PlacedOrder) => marksOf(nodes.payments[0], orderId);
const messages = ({ orderId }: PlacedOrder) => messagesOf(nodes.payments[0], orderId);
const operator = "alice";
const refund = ({ orderId }: PlacedOrder) =>
  call(nodes.gateway, "payment.refund", { orderId, reason: "asked for", operator });
const release = ({ orderId }: PlacedOrder) =>
  call(nodes.gateway, "payment.releaseOrder", { orderId, reason: "a coupon went back", operator });

/** A webhook of WeChat Pay, delivered. */
async function wechat(order: PlacedOrder, raw: RawWebhook): Promise<void> {
  expect(await deliver(nodes, "wechat", raw)).toMatchObject({ httpStatus: 200 });
  expect(order.channel).toBe("wechat");
}
const second = { content: { transaction_id: "second" } };
const paidAgain = (order: PlacedOrder) => wechat(order, nodes.wechat.paidWebhook(order.tradeNo, second));
const secondBack = (order: PlacedOrder) => wechat(order, nodes.wechat.refundWebhook(order.tradeNo, second));
const wholeBack = (order: PlacedOrder) => wechat(order, nodes.wechat.refundWebhook(order.tradeNo));
const partBack = (order: PlacedOrder) => {
  const amount = { total: 3_000, refund: 100, payer_total: 3_000, payer_refund: 100 };
  return wechat(order, nodes.wechat.refundWebhook(order.tradeNo, { content: { amount } }));
};

async function withoutTopic<T>(work: () => Promise<T>): Promise<T> {
  await sql("UPDATE t_pay_topic SET status = 0 WHERE biz_code = 10001");
  try {
    return await work();
  } finally {
    await sql("UPDATE t_pay_topic SET status = 1 WHERE biz_code = 10001");
  }
}

async function isWatched({ orderId }: PlacedOrder): Promise<boolean> {
  return (await nodes.payments[0].mysql.query("SELECT 1 FROM t_pay_watch WHERE order_id = ?", [orderId])).length > 0;
}

/** Lets the provider be asked about an order, and waits for the outcome. */
async function ask({ orderId }: PlacedOrder): Promise<void> {
  await sql("UPDATE t_pay_watch SET next_time = UTC_TIMESTAMP(3) WHERE order_id = ?", [orderId]);
  wakeMaintenance(nodes);
  await eventually("asked", async () => (await webhooksOf(nodes.payments[0], orderId)).length > 0, 30_000);
}

async function refundIs({ orderId }: PlacedOrder, state: string): Promise<void> {
  await eventually(
    `the refund is ${state}`,
    async () => {
      wakeMaintenance(nodes);
      const rows = await nodes.payments[0].mysql.query<{ state: string }>(
        "SELECT state FROM t_pay_refund WHERE order_id = ?",
        [orderId],
      );
      return rows[0]?.state === state;
    },
    30_000,
  );
}

/** Paid, and refunded in WeChat Pay's portal, before either was reported here; the payment's webhook is still to come. */
async function goneBack(): Promise<{ order: PlacedOrder; late: RawWebhook }> {
  const order = await placePaid(nodes, "wechat");
  const late = paidWebhook(nodes, order);
  nodes.wechat.trade(order.tradeNo).state = "REFUND";
  return { order, late };
}

describe("an order whose money went back before its payment was reported", () => {
  test("is paid by the provider's answer and not credited, nor by the payment's late webhook", async () => {
    const { order, late } = await goneBack();
    await ask(order);
    await wechat(order, late);
    expect(await statusOf(nodes, order)).toBe(2);
    expect(await messages(order)).toEqual(["event.payment.paid"]);
    expect(await marks(order)).toEqual(["creditHeld"]);
    expect((await webhooksOf(nodes.payments[0], order.orderId)).map(({ outcome }) => outcome)).toEqual([
      "parked",
      "repeated",
    ]);
    await eventually("the watch is gone", async () => !(await isWatched(order)), 30_000);

    await wholeBack(order);
    expect(await statusOf(nodes, order)).toBe(5);
    expect(await messages(order)).toEqual(["event.payment.paid", "event.payment.refunded"]);
    expect(await marks(order)).toEqual(["neverCredited"]);
    expect(await coinsOf(nodes, order)).toBe(0);
  });

  test.each(["alipay", "cashier"] as const)(
    "is refunded where %s answers that all of it went back",
    async (channel) => {
      const order = await placePaid(nodes, channel);
      const late = paidWebhook(nodes, order);
      refundWebhook(nodes, order);
      if (channel === "cashier")
        await sql(
          `INSERT INTO t_cashier_refund (order_id, transaction_id, amount, refund_time)
         SELECT order_id, transaction_id, amount, UTC_TIMESTAMP(3) FROM t_cashier_payment WHERE order_id = ?`,
          [order.orderId],
        );
      await ask(order);
      expect((await deliver(nodes, channel, late)).httpStatus).toBe(200);
      expect(await statusOf(nodes, order)).toBe(5);
      expect(await messages(order)).toEqual(["event.payment.paid", "event.payment.refunded"]);
      expect(await marks(order)).toEqual(["neverCredited"]);
    },
  );

  test("is credited once by an operator who releases it, and its refund takes the coins back then", async () => {
    const { order } = await goneBack();
    await ask(order);
    expect(await release(order)).toMatchObject({ orderId: order.orderId, status: 2 });
    await expectCoins(nodes, order, 300);
    await expect(release(order)).rejects.toMatchObject({ type: "payOrderState" });
    expect(await marks(order)).toEqual([]);
    await refund(order);
    await expectCoins(nodes, order, 0);
    expect(await messages(order)).toEqual([
      "event.payment.paid",
      "pay.recharge",
      "pay.refund",
      "event.payment.refunded",
    ]);
  });

  test("is released or refunded, where both are asked for at once", async () => {
    const { order } = await goneBack();
    await ask(order);
    const outcomes = await Promise.allSettled([release(order), refund(order), release(order), refund(order)]);
    expect(outcomes.filter(({ status }) => status === "fulfilled").length).toBeLessThanOrEqual(2);
    if ((await statusOf(nodes, order)) === 2) await refund(order);
    const sent = (await messages(order)).filter((subject) => subject.startsWith("pay."));
    expect([[], ["pay.recharge", "pay.refund"]]).toContainEqual(sent);
  });

  test("waits for its topic once it is released, where that is missing", async () => {
    const { order } = await goneBack();
    await ask(order);
    await withoutTopic(async () => {
      await release(order);
      expect(await marks(order)).toEqual(["topicMissing"]);
      expect(await messages(order)).toEqual(["event.payment.paid"]);
    });
    wakeMaintenance(nodes);
    await expectCoins(nodes, order, 300);
    expect(await marks(order)).toEqual([]);
  });

  test("is not credited where a part went back, and stays watched until its payment is reported", async () => {
    const order = await placePaid(nodes, "wechat");
    await partBack(order);
    expect(await statusOf(nodes, order)).toBe(1);
    expect(await isWatched(order)).toBe(true);
    await wechat(order, paidWebhook(nodes, order));
    expect(await messages(order)).toEqual(["event.payment.paid"]);
    expect((await marks(order)).sort()).toEqual(["creditHeld", "refundPartial"]);
    const found = await call(nodes.gateway, "payment.findOrder", { orderId: order.orderId, operator });
    expect(found).toMatchObject({ status: 2, parked: expect.arrayContaining(["creditHeld", "refundPartial"]) });
    await release(order);
    await expectCoins(nodes, order, 300);
    expect(await marks(order)).toEqual([]);
  });

  test("no order that is not held can be released", async () => {
    const [open, paid] = [await placePaid(nodes, "wechat"), await credited(nodes, "wechat")];
    for (const order of [open, paid]) await expect(release(order)).rejects.toMatchObject({ type: "payOrderState" });
    await expect(release({ ...open, orderId: "no-such-order" })).rejects.toMatchObject({ type: "payOrderUnknown" });
    expect(await messages(open)).toEqual([]);
  });
});

describe("an order with several marks loses each by itself", () => {
  test("a refund that failed stays marked when the second payment goes back", async () => {
    const order = await credited(nodes, "wechat");
    await paidAgain(order);
    nodes.wechat.refundStatus = "ABNORMAL";
    await refund(order);
    await refundIs(order, "failed");
    await secondBack(order);
    expect(await marks(order)).toEqual(["refundFailed"]);
    await wholeBack(order);
    expect(await marks(order)).toEqual([]);
    await refundIs(order, "done");
  });

  test("a second payment stays marked when the topic appears", async () => {
    const order = await withoutTopic(async () => {
      const parked = await placePaid(nodes, "wechat");
      await wechat(parked, paidWebhook(nodes, parked));
      await paidAgain(parked);
      expect((await marks(parked)).sort()).toEqual(["paidTwice", "topicMissing"]);
      return parked;
    });
    wakeMaintenance(nodes);
    await expectCoins(nodes, order, 300);
    expect(await marks(order)).toEqual(["paidTwice"]);
    await secondBack(order);
    expect((await webhooksOf(nodes.payments[0], order.orderId)).at(-1)).toMatchObject({
      outcome: "applied",
      reason: "the second payment went back",
    });
    expect(await marks(order)).toEqual([]);
  });

  test("no coins are taken that were never given, whatever other marks there are", async () => {
    const order = await placePaid(nodes, "wechat");
    await partBack(order);
    await withoutTopic(() => wechat(order, paidWebhook(nodes, order)));
    await refund(order);
    expect(await messages(order)).toEqual(["event.payment.paid", "event.payment.refunded"]);
    expect((await call(nodes.gateway, "wallet.balance", { userId: order.userId })).debt).toBe(0);
    expect((await marks(order)).sort()).toEqual(["neverCredited", "refundPartial"]);
    await wholeBack(order);
    expect(await marks(order)).toEqual(["neverCredited"]);
  });

  test("two second payments are two marks, and of one that went back in part the mark stays", async () => {
    const order = await credited(nodes, "wechat");
    const third = { content: { transaction_id: "third" } };
    await paidAgain(order);
    await wechat(order, nodes.wechat.paidWebhook(order.tradeNo, third));
    expect(await marks(order)).toEqual(["paidTwice", "paidTwice"]);
    await secondBack(order);
    const amount = { total: 3_000, refund: 100, payer_total: 3_000, payer_refund: 100 };
    await wechat(order, nodes.wechat.refundWebhook(order.tradeNo, { content: { ...third.content, amount } }));
    expect((await marks(order)).sort()).toEqual(["paidTwice", "refundPartial"]);
    await wechat(order, nodes.wechat.refundWebhook(order.tradeNo, third));
    expect(await marks(order)).toEqual([]);
    expect(await statusOf(nodes, order)).toBe(2);
  });

  test("money of a credited order that went back, not known how much, is parked until that is known", async () => {
    const order = await credited(nodes, "wechat");
    const [payment] = nodes.payments;
    const { transactionId } = nodes.wechat.trade(order.tradeNo);
    const status = "refunded" as const;
    const answer = {
      status,
      orderId: order.orderId,
      webhookId: "asked",
      transactionId,
      amount: 3_000,
      time: new Date(),
    };
    const open = payment.providers.get("wechat") as OpenProvider;
    expect(await takeAnswer(payment, open, answer)).toMatchObject({ outcome: "parked", parked: "refundUnclear" });
    expect(await marks(order)).toEqual(["refundUnclear"]);
    await partBack(order);
    expect(await marks(order)).toEqual(["refundPartial"]);
    expect(await coinsOf(nodes, order)).toBe(300);
    await wholeBack(order);
    expect(await marks(order)).toEqual([]);
    await expectCoins(nodes, order, 0);
  });
});
