import { call } from "../../../services/contracts.ts";
import { eventually } from "../../support/system.ts";
import { marksOf, messagesOf } from "./payment-node.ts";
import {
  credited,
  deliver,
  expectCoins,
  type PlacedOrder,
  paidWebhook,
  placePaid,
  useProviderNodes,
  wakeMaintenance,
} from "./provider-nodes.ts";

const nodes = useProviderNodes();
const operator = "carol";

const sql = (text: string, values: unknown[] = []) => nodes.payments[0].mysql.run(text, values);
const marks = ({ orderId }: PlacedOrder) => marksOf(nodes.payments[0], orderId);
const parked = async (params: object = {}) =>
  (await call(nodes.gateway, "payment.parkedOrders", { operator, ...params })).list;
const remove = ({ orderId }: { orderId: string }, mark: string, transactionId = "") =>
  call(nodes.gateway, "payment.removeMark", { orderId, mark, transactionId, reason: "settled", operator });
const setTopic = (params: { bizCode: number; topic: string; status?: number }) =>
  call(nodes.gateway, "payment.setTopic", { ...params, operator });

/** The products on sale, as each node shows them. */
const onSale = () =>
  Promise.all(
    nodes.payments.map(({ broker }) => call(nodes.gateway, "payment.products", { type: 0 }, { nodeID: broker.nodeID })),
  );
const buy = (productId: number) =>
  call(nodes.gateway, "payment.pay", { userId: "7", productId, paySource: 1, payChannel: 1 });

/** The audited actions of the operators of this file. */
const audited = async () => {
  const rows = await nodes.payments[0].mysql.query<{ action: string }>(
    "SELECT DISTINCT action FROM t_operator_audit WHERE operator = ? ORDER BY action",
    [operator],
  );
  return rows.map(({ action }) => action);
};

describe("a product", () => {
  const product = { productId: 70, name: "700 coins", price: 7_000, coins: 700 };
  const create = (changes: object = {}) =>
    call(nodes.gateway, "payment.createProduct", { ...product, ...changes, operator });
  const update = (changes: object) =>
    call(nodes.gateway, "payment.updateProduct", { productId: product.productId, ...changes, operator });

  test("is created once, also by operators at once, and is on sale on every node then", async () => {
    const made = await Promise.all([create(), create(), create()]);
    for (const one of made) expect(one).toMatchObject({ ...product, type: 0, status: 1 });
    for (const list of await onSale()) expect(list).toContainEqual({ id: 70, name: "700 coins", coinNum: 700 });
    for (const other of [{ name: "other" }, { price: 1 }, { coins: 1 }])
      await expect(create(other)).rejects.toMatchObject({ type: "productIdTaken" });
    await expect(create({ productId: 6 })).rejects.toMatchObject({ type: "productIdTaken" });
  });

  test("is changed for later orders; orders keep their price and coins", async () => {
    const before = await buy(70);
    expect(await update({ price: 6_500 })).toMatchObject({ ...product, price: 6_500 });
    expect(await update({ coins: 800 })).toMatchObject({ ...product, price: 6_500, coins: 800 });
    const after = await buy(70);
    expect([before.amount, after.amount]).toEqual([7_000, 6_500]);
    const found = await call(nodes.gateway, "payment.findOrder", { orderId: before.orderId, operator });
    expect(found).toMatchObject({ amount: 7_000, coinNum: 700 });
    const rows = await nodes.payments[0].mysql.query<{ coin: string }>(
      "SELECT coins AS coin FROM t_pay_order WHERE order_id = ?",
      [after.orderId],
    );
    expect(rows.map(({ coin }) => Number(coin))).toEqual([800]);
  });

  test("keeps what other systems have written into its row", async () => {
    const url = async () => {
      const [row] = await nodes.payments[0].mysql.query<{ url: string }>(
        "SELECT JSON_UNQUOTE(JSON_EXTRACT(extra, '$.url')) AS url FROM t_pay_product WHERE id = 7",
      );
      return row?.url;
    };
    const before = await url();
    expect(before).toBeTruthy();
    await update({ productId: 7, coins: 351 });
    expect(await url()).toBe(before);
    await update({ productId: 7, coins: 350 });
  });

  test("is taken off sale and put back, and can be bought only between", async () => {
    expect(await update({ status: 0 })).toMatchObject({ status: 0 });
    await expect(buy(70)).rejects.toMatchObject({ type: "invalidParam" });
    for (const list of await onSale()) expect(list.map(({ id }) => id)).not.toContain(70);
    const { list } = await call(nodes.gateway, "payment.allProducts", { operator });
    expect(list.find(({ productId }) => productId === 70)).toMatchObject({ status: 0, coins: 800 });
    await update({ status: 1 });
    await buy(70);
  });

  test("without a valid price, number of coins or name is refused, and so is a change of an unknown one", async () => {
    const odd = [0, -1, 1.5, 2 ** 53, 100_000_001, Number.NaN];
    for (const price of odd)
      await expect(create({ productId: 71, price })).rejects.toMatchObject({ type: "invalidParam" });
    for (const coins of [0, -1, 1.5, 1_000_000_001])
      await expect(update({ coins })).rejects.toMatchObject({ type: "invalidParam" });
    for (const name of ["", "x".repeat(101), "a\u0000b"])
      await expect(create({ productId: 71, name })).rejects.toMatchObject({ type: "invalidParam" });
    await expect(update({ productId: 999, price: 5 })).rejects.toMatchObject({ type: "productUnknown" });
  });
});

describe("a topic", () => {
  test("is switched off and on again; the orders that waited are credited by themselves", async () => {
    expect(await setTopic({ bizCode: 10_001, topic: "pay.recharge", status: 0 })).toMatchObject({ status: 0 });
    const order = await placePaid(nodes, "wechat");
    await deliver(nodes, "wechat", paidWebhook(nodes, order));
    const [waiting] = await parked({ mark: "topicMissing" });
    expect(waiting).toMatchObject({
      ...{ orderId: order.orderId, userId: order.userId, status: 2, amount: 3_000, coinNum: 300 },
      marks: [{ mark: "topicMissing", transactionId: null, actions: ["setTopic", "refund"] }],
    });
    const set = await setTopic({ bizCode: 10_001, topic: "pay.recharge" });
    expect(set).toEqual({ bizCode: 10_001, topic: "pay.recharge", status: 1, remark: "", waiting: 1 });
    await expectCoins(nodes, order, 300);
    await eventually("no order waits", async () => (await parked({ mark: "topicMissing" })).length === 0, 30_000);
    const { list } = await call(nodes.gateway, "payment.topics", { operator });
    expect(list.find(({ bizCode }) => bizCode === 10_001)).toMatchObject({ status: 1, waiting: 0 });
  });

  test("is refused where nobody would credit the coins, or somebody would take them back", async () => {
    for (const [bizCode, topic] of [
      [10_001, "pay.vip"],
      [10_001, "pay.refund"],
      [10_002, "pay.refund"],
      [10_002, "event.payment.paid"],
    ] as const)
      await expect(setTopic({ bizCode, topic })).rejects.toMatchObject({ type: "topicRefused" });
    for (const bizCode of [0, 2 ** 32])
      await expect(setTopic({ bizCode, topic: "pay.vip" })).rejects.toMatchObject({ type: "invalidParam" });
    expect(await setTopic({ bizCode: 10_002, topic: "pay.vip", status: 0 })).toMatchObject({ waiting: 0 });
  });

  test("that takes coins back credits and takes nothing, also where a row has it", async () => {
    await sql("UPDATE t_pay_topic SET topic = 'pay.refund' WHERE biz_code = 10001");
    const order = await placePaid(nodes, "wechat");
    await deliver(nodes, "wechat", paidWebhook(nodes, order));
    expect(await messagesOf(nodes.payments[0], order.orderId)).toEqual(["event.payment.paid"]);
    expect(await marks(order)).toEqual(["topicMissing"]);
    await setTopic({ bizCode: 10_001, topic: "pay.recharge" });
    await expectCoins(nodes, order, 300);
  });
});

describe("a mark of an order", () => {
  const second = { content: { transaction_id: "second" } };
  const paidAgain = async (): Promise<PlacedOrder> => {
    const order = await credited(nodes, "wechat");
    await deliver(nodes, "wechat", nodes.wechat.paidWebhook(order.tradeNo, second));
    return order;
  };

  test("is taken off once it is settled, by one of many who do so at once; a repeat changes nothing", async () => {
    const order = await paidAgain();
    const [listed] = (await parked({ mark: "paidTwice" })).filter(({ orderId }) => orderId === order.orderId);
    expect(listed?.marks).toMatchObject([{ mark: "paidTwice", transactionId: "second", actions: ["remove"] }]);
    // The mark of one payment is not that of another.
    expect(await remove(order, "paidTwice")).toMatchObject({ removed: false, parked: ["paidTwice"] });
    const outcomes = await Promise.all([1, 2, 3].map(() => remove(order, "paidTwice", "second")));
    expect(outcomes.filter(({ removed }) => removed)).toHaveLength(1);
    expect(outcomes.at(-1)?.parked).toEqual([]);
    expect(await marks(order)).toEqual([]);
  });

  test("stays where it decides about coins", async () => {
    await setTopic({ bizCode: 10_001, topic: "pay.recharge", status: 0 });
    const uncredited = await placePaid(nodes, "wechat");
    await deliver(nodes, "wechat", paidWebhook(nodes, uncredited));
    await expect(remove(uncredited, "topicMissing")).rejects.toMatchObject({ type: "markStays" });
    await call(nodes.gateway, "payment.refund", { orderId: uncredited.orderId, reason: "r", operator });
    await expect(remove(uncredited, "neverCredited")).rejects.toMatchObject({ type: "markStays" });
    expect(await marks(uncredited)).toEqual(["neverCredited"]);
    await setTopic({ bizCode: 10_001, topic: "pay.recharge" });

    // A part went back before the payment was reported: without the mark all of it would be credited.
    const open = await placePaid(nodes, "wechat");
    const amount = { total: 3_000, refund: 100, payer_total: 3_000, payer_refund: 100 };
    await deliver(nodes, "wechat", nodes.wechat.refundWebhook(open.tradeNo, { content: { amount } }));
    const { transactionId } = nodes.wechat.trade(open.tradeNo);
    await expect(remove(open, "refundPartial", transactionId)).rejects.toMatchObject({ type: "markStays" });
    await deliver(nodes, "wechat", paidWebhook(nodes, open));
    await expect(remove(open, "creditHeld")).rejects.toMatchObject({ type: "markStays" });
    expect(await remove(open, "refundPartial", transactionId)).toMatchObject({ removed: true, parked: ["creditHeld"] });
    expect(await messagesOf(nodes.payments[0], open.orderId)).toEqual(["event.payment.paid"]);
    await call(nodes.gateway, "payment.releaseOrder", { orderId: open.orderId, reason: "a coupon", operator });
    await expectCoins(nodes, open, 300);
  });

  test("of a refund that failed is taken off by whoever returned the money: the refund is done then", async () => {
    const order = await credited(nodes, "wechat");
    nodes.wechat.refundStatus = "ABNORMAL";
    await call(nodes.gateway, "payment.refund", { orderId: order.orderId, reason: "r", operator });
    await eventually(
      "the refund failed",
      async () => {
        wakeMaintenance(nodes);
        return (await marks(order)).includes("refundFailed");
      },
      30_000,
    );
    expect(await remove(order, "refundFailed")).toMatchObject({ removed: true, parked: [] });
    const rows = await nodes.payments[0].mysql.query<{ state: string; accepted: number }>(
      "SELECT state, accepted_time IS NOT NULL AS accepted FROM t_pay_refund WHERE order_id = ?",
      [order.orderId],
    );
    expect(rows.map(({ state, accepted }) => [state, Number(accepted)])).toEqual([["done", 1]]);
  });

  test("of an unknown order, or that is none, is refused", async () => {
    await expect(remove({ orderId: "no-such-order" }, "paidTwice")).rejects.toMatchObject({ type: "payOrderUnknown" });
    for (const mark of ["constructor", "paid"])
      await expect(remove({ orderId: "no-such-order" }, mark)).rejects.toMatchObject({ type: "invalidParam" });
    await expect(parked({ mark: "neverCredited" })).rejects.toMatchObject({ type: "invalidParam" });
  });

  test("is listed with its order, in pages, the oldest order first", async () => {
    const orders = [await paidAgain(), await paidAgain(), await paidAgain()].map(({ orderId }) => orderId);
    const pages: string[] = [];
    let cursor: string | undefined;
    do {
      const params = { mark: "paidTwice", limit: 2, cursor, operator };
      const page = await call(nodes.gateway, "payment.parkedOrders", params);
      expect(page.list.length).toBeLessThanOrEqual(2);
      pages.push(...page.list.map(({ orderId }) => orderId));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(pages).toEqual(orders);
    for (const orderId of orders) await remove({ orderId }, "paidTwice", "second");
  });
});

test("every call leaves an audit row", async () => {
  await call(nodes.gateway, "payment.comparedDays", { operator });
  await call(nodes.gateway, "payment.differences", { operator });
  await expect(
    call(nodes.gateway, "payment.resolveDifference", { id: 9, reason: "r", operator }),
  ).rejects.toMatchObject({ type: "differenceUnknown" });
  expect(await audited()).toEqual(
    expect.arrayContaining(
      ["allProducts", "comparedDays", "createProduct", "differences", "parkedOrders", "removeMark"]
        .concat(["resolveDifference", "setTopic", "topics", "updateProduct"])
        .map((action) => `payment.${action}`),
    ),
  );
});
