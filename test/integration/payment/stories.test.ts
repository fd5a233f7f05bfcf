import { gatherStory } from "../../../services/admin-gateway/story/gather.ts";
import type { Story } from "../../../services/admin-gateway/story/story.ts";
import { call } from "../../../services/contracts.ts";
import { bucketOf } from "../../../services/wallet-buckets.ts";
import { eventually } from "../../support/system.ts";
import {
  credited,
  deliver,
  expectCoins,
  type PlacedOrder,
  paidWebhook,
  place,
  placePaid,
  statusOf,
  useProviderNodes,
  wakeMaintenance,
} from "./provider-nodes.ts";

/** Stories of payments, gathered by a node from those of payment and of the wallet. The gift service is away. */

const nodes = useProviderNodes();

/** The gift service cannot be asked here, and payment knows the order: nothing is missing. */
const story = ({ orderId }: Pick<PlacedOrder, "orderId">): Promise<Story> =>
  gatherStory(nodes.gateway as never, orderId, Promise.resolve({ proposals: [], letters: [] }));
const shown = ({ steps }: Story) => steps.map(({ what, state }) => `${what} ${state}`);
const stepsOf = ({ steps }: Story, what: string) => steps.filter((step) => step.what === what);
const refund = (orderId: string) =>
  call(nodes.gateway, "payment.refund", { orderId, reason: "disputed", operator: "staff:ann" });

test("an order that was paid tells of its creation, the notice, the message with its sequence, and the coins", async () => {
  const order = await credited(nodes, "wechat");
  const told = await eventually(
    "the message is sent",
    async () => {
      const now = await story(order);
      return stepsOf(now, "message")[0]?.time && stepsOf(now, "event")[0]?.time ? now : undefined;
    },
    30_000,
  );
  expect(told).toMatchObject({ kind: "payment", state: "paid", userId: order.userId, incomplete: [], cut: false });
  expect(new Set(shown(told))).toEqual(
    new Set(["created done", "notice done", "paid done", "message done", "event done", "credited done"]),
  );
  expect(stepsOf(told, "message")[0]?.data).toMatchObject({ subject: "pay.recharge", sequence: expect.any(Number) });
  expect(stepsOf(told, "credited")[0]).toMatchObject({ service: "wallet", data: { coins: 300, balanceAfter: 300 } });
  expect(stepsOf(told, "notice")[0]?.data).toMatchObject({ channel: "wechat", outcome: "applied", asked: 0 });
});

test("an order that waits for its payer says when the provider is asked next; a cancelled one was not paid", async () => {
  const order = await place(nodes, "wechat");
  expect(shown(await story(order))).toEqual(["created done", "paid waiting", "notice waiting"]);
  await nodes.payments[0].mysql.run("UPDATE t_pay_order SET status = 3 WHERE order_id = ?", [order.orderId]);
  await nodes.payments[0].mysql.run("DELETE FROM t_pay_watch WHERE order_id = ?", [order.orderId]);
  const cancelled = await story(order);
  expect([cancelled.state, ...shown(cancelled)]).toEqual(["cancelled", "created done", "paid failed"]);
});

test("an order that was paid twice has both notices and the mark of the second payment, by which it is found", async () => {
  const order = await credited(nodes, "wechat");
  const second = `second-${order.orderId}`.slice(0, 32);
  await deliver(nodes, "wechat", nodes.wechat.paidWebhook(order.tradeNo, { content: { transaction_id: second } }));
  const told = await story(order);
  expect(stepsOf(told, "notice").map(({ data }) => data.outcome)).toEqual(["applied", "parked"]);
  expect(stepsOf(told, "parked")).toMatchObject([
    { state: "waiting", data: { mark: "paidTwice", transactionId: second } },
  ]);
  const transactionId = stepsOf(told, "paid")[0]?.data.transactionId as string;
  for (const q of [order.orderId, order.tradeNo, transactionId, second]) {
    const { list } = await call(nodes.gateway, "payment.findOrders", { q });
    expect([q, list.map(({ orderId }) => orderId)]).toEqual([q, [order.orderId]]);
  }
  expect((await call(nodes.gateway, "payment.findOrders", { q: "no-such-payment" })).list).toEqual([]);
});

test("an order that was refunded after its coins were spent has the request, the money, the coins and the debt", async () => {
  const order = await credited(nodes, "wechat");
  const { userId, orderId } = order;
  const gift = {
    orderId: `gift-${orderId}`.slice(0, 60),
    senderId: userId,
    receiverId: "77",
    roomId: 1,
    giftId: 22,
    count: 1,
  };
  const gifts = [{ ...gift, price: 180, sharePercent: 50 }];
  await call(nodes.gateway, "wallet.consumeForSendGift", { bucket: bucketOf(userId), gifts });
  await refund(orderId);
  await expectCoins(nodes, order, 0);
  wakeMaintenance(nodes);
  const told = await eventually(
    "the debt",
    async () => {
      const now = await story(order);
      return stepsOf(now, "debt").length > 0 ? now : undefined;
    },
    30_000,
  );
  expect(told.state).toBe("refunded");
  expect(stepsOf(told, "refundAsked")).toMatchObject([
    { data: { origin: "operator", reason: "disputed", amount: 3_000 } },
  ]);
  expect(stepsOf(told, "debt")).toMatchObject([{ data: { coins: 180, change: "left" } }]);
  const taken = stepsOf(told, "refunded").find(({ service }) => service === "wallet");
  expect(taken).toMatchObject({ state: "done", data: { coins: 120, balanceAfter: 0 } });
  expect(stepsOf(told, "message").map(({ data }) => data.effect)).toEqual(["credit", "refund"]);

  // The gift that was paid with these coins names the order, before anybody decides about the share and after.
  const wallet = () => call(nodes.gateway, "wallet.orderStory", { orderId: gift.orderId });
  expect((await wallet()).refundedWith).toMatchObject([{ orderId, coins: 180, points: 9_000, state: "open" }]);
  await call(nodes.gateway, "wallet.holdIncome", { orderId, reason: "fraud", operator: "staff:ann" });
  expect(await wallet()).toMatchObject({
    refundedWith: [{ orderId, coins: 180, points: 9_000, state: "held" }],
    holds: [{ orderId, anchorId: "77", coins: 180, points: 9_000, reason: "fraud", releasedTime: null }],
  });
  await call(nodes.gateway, "wallet.releaseHold", { orderId, reason: "paid after all", operator: "staff:ann" });
  const [hold] = stepsOf(await story(order), "hold");
  expect(hold?.data).toMatchObject({ anchorId: "77", points: 9_000, releaseReason: "paid after all" });
  const { list } = await call(nodes.gateway, "wallet.incomePostings", { userId: "77" });
  expect(list.map(({ kind }) => kind).filter((kind) => kind !== "gifts")).toEqual(["release", "hold"]);
});

test("a difference of the reconciliation is in the story, open and resolved", async () => {
  const order = await credited(nodes, "wechat");
  const { mysql } = nodes.payments[0];
  await mysql.run(
    `INSERT INTO t_pay_difference (bill_date, channel, kind, order_id, detail, create_time)
     VALUES ('2026-01-01', 'wechat', 'notInBill', ?, '3000 fen', UTC_TIMESTAMP(3))`,
    [order.orderId],
  );
  const difference = async () => stepsOf(await story(order), "difference");
  expect(await difference()).toMatchObject([{ state: "waiting", data: { kind: "notInBill", date: "2026-01-01" } }]);
  await mysql.run(
    "UPDATE t_pay_difference SET resolve_time = UTC_TIMESTAMP(3), resolve_reason = 'late' WHERE order_id = ?",
    [order.orderId],
  );
  expect(await difference()).toMatchObject([{ state: "done", data: { resolveReason: "late" } }]);
});

test("a user's orders are listed page by page, newest first, and no one else's", async () => {
  const userId = "556677";
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) {
    const params = { userId, productId: 6, paySource: 1, payChannel: 1 };
    ids.unshift((await call(nodes.gateway, "payment.pay", params)).orderId);
  }
  const first = await call(nodes.gateway, "payment.ordersOfUser", { userId, limit: 2 });
  const cursor = first.nextCursor ?? undefined;
  const second = await call(nodes.gateway, "payment.ordersOfUser", { userId, limit: 2, cursor });
  expect([...first.list, ...second.list].map(({ orderId }) => orderId)).toEqual(ids);
  expect(second.nextCursor).toBeNull();
});

test("an unpaid order is reported by its provider's answer to a query: the notice says that it was asked", async () => {
  const order = await placePaid(nodes, "wechat");
  await nodes.payments[0].mysql.run("UPDATE t_pay_watch SET next_time = UTC_TIMESTAMP(3) WHERE order_id = ?", [
    order.orderId,
  ]);
  wakeMaintenance(nodes);
  await eventually("it is paid", async () => (await statusOf(nodes, order)) === 2, 30_000);
  expect(stepsOf(await story(order), "notice")).toMatchObject([{ data: { asked: 1, outcome: "applied" } }]);
  await deliver(nodes, "wechat", paidWebhook(nodes, order));
  await expectCoins(nodes, order, 300);
});

test("an order that nobody has is not unknown while the gift service, which may have it, is away", async () => {
  await expect(story({ orderId: "no-such-order" })).rejects.toMatchObject({ type: "unavailable" });
});
