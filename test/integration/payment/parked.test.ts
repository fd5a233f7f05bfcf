import { readMigrations } from "../../../mixins/mysql/migrate.ts";
import { call } from "../../../services/contracts.ts";
import { takeAnswer } from "../../../services/payment/notices.ts";
import type { RawNotice } from "../../../services/payment/payment.contract.ts";
import type { PaymentProvider } from "../../../services/payment/providers/provider.ts";
import { eventually } from "../../support/system.ts";
import { marksOf, messagesOf, noticesOf } from "./desk.ts";
import {
  coinsOf,
  credited,
  deliver,
  expectCoins,
  type PlacedOrder,
  paidNotice,
  placePaid,
  refundNotice,
  statusOf,
  useProviderDesk,
  wakeJanitors,
} from "./provider-desk.ts";

const desk = useProviderDesk();

const sql = (text: string, values: unknown[] = []) => desk.payments[0].mysql.run(text, values);
const marks = ({ orderId }: PlacedOrder) => marksOf(desk.payments[0], orderId);
const messages = ({ orderId }: PlacedOrder) => messagesOf(desk.payments[0], orderId);
const operator = "alice";
const refund = ({ orderId }: PlacedOrder) =>
  call(desk.gateway, "payment.refund", { orderId, reason: "asked for", operator });
const release = ({ orderId }: PlacedOrder) =>
  call(desk.gateway, "payment.release", { orderId, reason: "a coupon went back", operator });

/** WeChat Pay's own word, as it is delivered. */
async function wechat(order: PlacedOrder, raw: RawNotice): Promise<void> {
  expect(await deliver(desk, "wechat", raw)).toMatchObject({ httpStatus: 200 });
  expect(order.channel).toBe("wechat");
}
const second = { content: { transaction_id: "second" } };
const paidAgain = (order: PlacedOrder) => wechat(order, desk.wechat.paidNotice(order.tradeNo, second));
const secondBack = (order: PlacedOrder) => wechat(order, desk.wechat.refundNotice(order.tradeNo, second));
const wholeBack = (order: PlacedOrder) => wechat(order, desk.wechat.refundNotice(order.tradeNo));
const partBack = (order: PlacedOrder) => {
  const amount = { total: 3_000, refund: 100, payer_total: 3_000, payer_refund: 100 };
  return wechat(order, desk.wechat.refundNotice(order.tradeNo, { content: { amount } }));
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
  return (await desk.payments[0].mysql.query("SELECT 1 FROM t_pay_watch WHERE order_id = ?", [orderId])).length > 0;
}

/** The janitor asks about an order, and has noted what came of it. */
async function ask({ orderId }: PlacedOrder): Promise<void> {
  await sql("UPDATE t_pay_watch SET next_time = UTC_TIMESTAMP(3) WHERE order_id = ?", [orderId]);
  wakeJanitors(desk);
  await eventually("asked", async () => (await noticesOf(desk.payments[0], orderId)).length > 0);
}

async function refundIs({ orderId }: PlacedOrder, state: string): Promise<void> {
  await eventually(`the refund is ${state}`, async () => {
    wakeJanitors(desk);
    const rows = await desk.payments[0].mysql.query<{ state: string }>(
      "SELECT state FROM t_pay_refund WHERE order_id = ?",
      [orderId],
    );
    return rows[0]?.state === state;
  });
}

/** Paid, and refunded in WeChat Pay's portal, before anybody here heard of either; the payment's notice, still to come. */
async function goneBack(): Promise<{ order: PlacedOrder; late: RawNotice }> {
  const order = await placePaid(desk, "wechat");
  const late = paidNotice(desk, order);
  desk.wechat.trade(order.tradeNo).state = "REFUND";
  return { order, late };
}

describe("an order whose money went back before its payment was heard of", () => {
  test("is paid by the janitor's question and not credited, nor by the payment's late notice", async () => {
    const { order, late } = await goneBack();
    await ask(order);
    await wechat(order, late);
    expect(await statusOf(desk, order)).toBe(2);
    expect(await messages(order)).toEqual(["event.payment.paid"]);
    expect(await marks(order)).toEqual(["creditHeld"]);
    expect((await noticesOf(desk.payments[0], order.orderId)).map(({ outcome }) => outcome)).toEqual([
      "parked",
      "repeated",
    ]);
    await eventually("the watch is gone", async () => !(await isWatched(order)));

    await wholeBack(order);
    expect(await statusOf(desk, order)).toBe(5);
    expect(await messages(order)).toEqual(["event.payment.paid", "event.payment.refunded"]);
    expect(await marks(order)).toEqual(["neverCredited"]);
    expect(await coinsOf(desk, order)).toBe(0);
  });

  test.each(["alipay", "cashier"] as const)("is refunded where %s says that all of it went back", async (channel) => {
    const order = await placePaid(desk, channel);
    const late = paidNotice(desk, order);
    refundNotice(desk, order);
    if (channel === "cashier")
      await sql(
        `INSERT INTO t_cashier_refund (order_id, transaction_id, amount, refund_time)
         SELECT order_id, transaction_id, amount, UTC_TIMESTAMP(3) FROM t_cashier_payment WHERE order_id = ?`,
        [order.orderId],
      );
    await ask(order);
    expect((await deliver(desk, channel, late)).httpStatus).toBe(200);
    expect(await statusOf(desk, order)).toBe(5);
    expect(await messages(order)).toEqual(["event.payment.paid", "event.payment.refunded"]);
    expect(await marks(order)).toEqual(["neverCredited"]);
  });

  test("is credited once by an operator who releases it, and its refund takes the coins back then", async () => {
    const { order } = await goneBack();
    await ask(order);
    expect(await release(order)).toMatchObject({ orderId: order.orderId, status: 2 });
    await expectCoins(desk, order, 300);
    await expect(release(order)).rejects.toMatchObject({ type: "payOrderState" });
    expect(await marks(order)).toEqual([]);
    await refund(order);
    await expectCoins(desk, order, 0);
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
    if ((await statusOf(desk, order)) === 2) await refund(order);
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
    for (const payment of desk.payments) payment.parkedOrders?.wake();
    await expectCoins(desk, order, 300);
    expect(await marks(order)).toEqual([]);
  });

  test("is not credited where a part went back, and stays watched until it is heard of", async () => {
    const order = await placePaid(desk, "wechat");
    await partBack(order);
    expect(await statusOf(desk, order)).toBe(1);
    expect(await isWatched(order)).toBe(true);
    await wechat(order, paidNotice(desk, order));
    expect(await messages(order)).toEqual(["event.payment.paid"]);
    expect((await marks(order)).sort()).toEqual(["creditHeld", "refundPartial"]);
    const found = await call(desk.gateway, "payment.findOrder", { orderId: order.orderId, operator });
    expect(found).toMatchObject({ status: 2, parked: expect.arrayContaining(["creditHeld", "refundPartial"]) });
    await release(order);
    await expectCoins(desk, order, 300);
    expect(await marks(order)).toEqual([]);
  });

  test("no order that is not held can be released", async () => {
    const [open, paid] = [await placePaid(desk, "wechat"), await credited(desk, "wechat")];
    for (const order of [open, paid]) await expect(release(order)).rejects.toMatchObject({ type: "payOrderState" });
    await expect(release({ ...open, orderId: "no-such-order" })).rejects.toMatchObject({ type: "payOrderUnknown" });
    expect(await messages(open)).toEqual([]);
  });
});

describe("an order with several marks loses each by itself", () => {
  test("a refund that failed stays marked when the second payment goes back", async () => {
    const order = await credited(desk, "wechat");
    await paidAgain(order);
    desk.wechat.refundStatus = "ABNORMAL";
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
      const parked = await placePaid(desk, "wechat");
      await wechat(parked, paidNotice(desk, parked));
      await paidAgain(parked);
      expect((await marks(parked)).sort()).toEqual(["paidTwice", "topicMissing"]);
      return parked;
    });
    for (const payment of desk.payments) payment.parkedOrders?.wake();
    await expectCoins(desk, order, 300);
    expect(await marks(order)).toEqual(["paidTwice"]);
    await secondBack(order);
    expect((await noticesOf(desk.payments[0], order.orderId)).at(-1)).toMatchObject({
      outcome: "applied",
      reason: "the second payment went back",
    });
    expect(await marks(order)).toEqual([]);
  });

  test("no coins are taken that were never given, whatever else is the matter", async () => {
    const order = await placePaid(desk, "wechat");
    await partBack(order);
    await withoutTopic(() => wechat(order, paidNotice(desk, order)));
    await refund(order);
    expect(await messages(order)).toEqual(["event.payment.paid", "event.payment.refunded"]);
    expect((await call(desk.gateway, "wallet.balance", { userId: order.userId })).debt).toBe(0);
    expect((await marks(order)).sort()).toEqual(["neverCredited", "refundPartial"]);
    await wholeBack(order);
    expect(await marks(order)).toEqual(["neverCredited"]);
  });

  test("two second payments are two marks, and of one that went back in part the mark stays", async () => {
    const order = await credited(desk, "wechat");
    const third = { content: { transaction_id: "third" } };
    await paidAgain(order);
    await wechat(order, desk.wechat.paidNotice(order.tradeNo, third));
    expect(await marks(order)).toEqual(["paidTwice", "paidTwice"]);
    await secondBack(order);
    const amount = { total: 3_000, refund: 100, payer_total: 3_000, payer_refund: 100 };
    await wechat(order, desk.wechat.refundNotice(order.tradeNo, { content: { ...third.content, amount } }));
    expect((await marks(order)).sort()).toEqual(["paidTwice", "refundPartial"]);
    await wechat(order, desk.wechat.refundNotice(order.tradeNo, third));
    expect(await marks(order)).toEqual([]);
    expect(await statusOf(desk, order)).toBe(2);
  });

  test("money of a credited order that went back, nobody says how much, waits until it is said", async () => {
    const order = await credited(desk, "wechat");
    const [payment] = desk.payments;
    const { transactionId } = desk.wechat.trade(order.tradeNo);
    const says = "refunded" as const;
    const answer = { says, orderId: order.orderId, noticeId: "asked", transactionId, amount: 3_000, time: new Date() };
    const provider = payment.providers.get("wechat") as PaymentProvider;
    expect(await takeAnswer(payment, provider, answer)).toMatchObject({ outcome: "parked", parked: "refundUnclear" });
    expect(await marks(order)).toEqual(["refundUnclear"]);
    await partBack(order);
    expect(await marks(order)).toEqual(["refundPartial"]);
    expect(await coinsOf(desk, order)).toBe(300);
    await wholeBack(order);
    expect(await marks(order)).toEqual([]);
    await expectCoins(desk, order, 0);
  });
});

test("what the one column said becomes marks, with what it had no room for, however often it is moved", async () => {
  const migration = readMigrations(["services/payment/migrations"]).find(({ name }) => name.includes("0010-parked"));
  const place = () => placePaid(desk, "wechat");
  const [failed, twice, back, held, stuck] = [
    await place(),
    await place(),
    await place(),
    await place(),
    await place(),
  ];
  const is = (order: PlacedOrder, status: number, parked: string | null) =>
    sql("UPDATE t_pay_order SET status = ?, parked = ? WHERE order_id = ?", [status, parked, order.orderId]);
  const noted = (order: PlacedOrder, transaction: string, outcome: string, reason: string) =>
    sql(
      `INSERT INTO t_pay_notice (channel, outcome, reason, order_id, transaction_id, body, ip, create_time)
       VALUES ('wechat', ?, ?, ?, ?, '', '', UTC_TIMESTAMP(3))`,
      [outcome, reason, order.orderId, transaction],
    );
  await is(failed, 5, "paidTwice");
  await noted(failed, "second", "parked", "paid again, first by first");
  await sql(
    `INSERT INTO t_pay_refund (order_id, pay_channel, transaction_id, amount, reason, origin, state, create_time,
       update_time) VALUES (?, 1, 'first', 3000, '', 'operator', 'failed', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    [failed.orderId],
  );
  await is(twice, 3, null);
  await noted(twice, "second", "parked", "paid again, first by first");
  await noted(twice, "second", "ignored", "a refund of a payment that paid nothing");
  await noted(twice, "third", "parked", "paid again, first by first");
  await is(back, 5, "topicMissing");
  await is(held, 3, "paidWhenClosed");
  await is(stuck, 1, "refundPartial");
  await sql("DELETE FROM t_pay_watch WHERE order_id = ?", [stuck.orderId]);
  for (let time = 0; time < 2; time++) {
    for (const statement of migration?.statements ?? []) await sql(statement);
    expect((await marks(failed)).sort()).toEqual(["paidTwice", "refundFailed"]);
    expect(await marks(twice)).toEqual(["paidTwice"]);
    expect(await marks(back)).toEqual(["neverCredited"]);
    expect(await marks(held)).toEqual(["paidWhenClosed"]);
    expect(await marks(stuck)).toEqual(["refundPartial"]);
  }
  const column = await desk.payments[0].mysql.query("SELECT 1 FROM t_pay_order WHERE parked IS NOT NULL");
  expect(column).toEqual([]);
  // It is watched again: its janitor, or a notice, finds it paid, and it is not credited without a look.
  await wechat(stuck, paidNotice(desk, stuck));
  expect(await messages(stuck)).toEqual(["event.payment.paid"]);
  await sql("UPDATE t_pay_order SET status = 3 WHERE order_id = ?", [stuck.orderId]);
});
