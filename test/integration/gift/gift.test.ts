import type { ServiceBroker, ServiceSchema } from "moleculer";
import { createConnection } from "mysql2/promise";
import { fail, failureName } from "../../../broker/failure.ts";
import { jsonBytes } from "../../../broker/parts.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { DeadLetters } from "../../../mixins/jetstream/dead-letters.ts";
import type { JetStreamState } from "../../../mixins/jetstream.mixin.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import { openRedis, type RedisState } from "../../../mixins/redis.mixin.ts";
import { broadcast, call, type ResultOf } from "../../../services/contracts.ts";
import { contentHashOf, partitionOf } from "../../../services/gift/accepted-gift.ts";
import gift from "../../../services/gift/gift.service.ts";
import type { SettleStep } from "../../../services/gift/settler.ts";
import { orderIdOf } from "../../../services/gift-order-id.ts";
import type { RoomGift } from "../../../services/im-router/im-router.contract.ts";
import notification from "../../../services/notification/notification.service.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { holdAccounts } from "../../support/held-accounts.ts";
import { liveRooms as liveRoomsOf } from "../../support/live-rooms.ts";
import { operatorCalls } from "../../support/operator-calls.ts";
import { partitionsShared } from "../../support/partitions.ts";
import { publish, recharge } from "../../support/recharge.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

const anchor = "9000000000000000077";
let next = 1000;
const newUser = () => String(9_000_000_000_000_000_000n + BigInt(next++));

/** What the router was handed, as a room and the senders would see it. */
const shown: RoomGift[] = [];
const told: { userId: string; msgId: string; data: Record<string, unknown> }[] = [];
let routerDown = false;
let poisonSender: string | undefined;
const liveRooms = new Map([[5, anchor]]);
/** Done once, before the next query for a room is answered. */
let meanwhile: (() => Promise<unknown>) | undefined;

const neighbours: ServiceSchema[] = [
  liveRoomsOf(async (roomId) => {
    const work = meanwhile;
    meanwhile = undefined;
    await work?.();
    return liveRooms.get(roomId);
  }),
  {
    name: "im-router",
    actions: {
      roomGifts(ctx: { params: { rooms: { gifts: RoomGift[] }[] } }) {
        if (routerDown) throw fail("unavailable");
        const senders = ctx.params.rooms.flatMap(({ gifts }) => gifts.map(({ senderId }) => senderId));
        if (poisonSender && senders.includes(poisonSender)) throw new Error("cannot bear this one");
        shown.push(...ctx.params.rooms.flatMap(({ gifts }) => gifts));
        return null;
      },
      sendToUsers(ctx: { params: { notifications: typeof told } }) {
        told.push(...ctx.params.notifications);
        return { delivered: 1 };
      },
    },
  } as unknown as ServiceSchema,
];

let caller: ServiceBroker;
const giftNodes: ServiceBroker[] = [];
const redis = openRedis("test");

beforeAll(async () => {
  await redis.connect();
  await startNode("neighbours", neighbours);
  await Promise.all([startNode("wallet", [wallet]), startNode("notification", [notification])]);
  giftNodes.push(await startNode("gift-1", [gift]), await startNode("gift-2", [gift]));
  caller = await startNode("caller", []);
  await caller.waitForServices(["gift", "wallet", "living-room", "im-router"]);
  await partitionsShared("gift", giftNodes);
});
afterAll(async () => {
  redis.disconnect();
  await stopAll();
});
afterEach(expectBooksBalanced);

interface Send {
  userId: string;
  giftId?: number;
  roomId?: number;
  receiverId?: string;
  type?: number;
  count?: number;
  requestId?: string;
}
const send = (request: Send) =>
  call(caller, "gift.send", { giftId: 22, roomId: 5, receiverId: anchor, type: 0, count: 1, ...request });
const refusal = (request: Send) => send(request).then(() => "accepted", failureName);
const settled = (userId: string, orderId: string) =>
  eventually(`order ${orderId} settled`, async () => {
    const order = await call(caller, "gift.order", { userId, orderId });
    return order.status === "accepted" ? undefined : order;
  });
const balance = async (userId: string) => (await call(caller, "wallet.balance", { userId })).balance;

async function richUser(coins = 1000): Promise<string> {
  const user = newUser();
  await recharge(caller, `order-${user}`, user, coins);
  return user;
}

describe("the path of a gift", () => {
  test("the catalogue holds the seeded gifts, those on the shelf", async () => {
    const { list } = await call(caller, "gift.catalogue", {});
    expect(list.map(({ giftId }) => giftId)).toEqual([22, 23, 24, 25, 27, 28, 29]);
    expect(list[0]).toMatchObject({ price: 90, giftName: "天使少女-2", svgaUrl: "../svga/天使.svga" });
  });

  test("a catalogue of a thousand gifts with long names and addresses comes whole, in pages that a message carries", async () => {
    const { mysql } = (giftNodes[0] as ServiceBroker).getLocalService("gift") as unknown as MysqlState;
    const long = (n: number) => [50_000 + n, 5, "礼".repeat(60), "像".repeat(300), "影".repeat(300)];
    const now = new Date();
    const more = Array.from({ length: 1_000 }, (_, n) => [...long(n), now, now]);
    const columns = "gift_id, price, gift_name, cover_img_url, svga_url, create_time, update_time";
    await mysql.run(`INSERT INTO t_gift_config (${columns}) VALUES ?`, [more]);
    try {
      const inPages = async () => {
        const seen: number[] = [];
        for (let after: number | null = 0; after !== null; ) {
          const page: ResultOf<"gift.catalogue"> = await call(caller, "gift.catalogue", after > 0 ? { after } : {});
          expect(jsonBytes(page.list)).toBeLessThanOrEqual(limits.bus.listBytes);
          seen.push(...page.list.map(({ giftId }) => giftId));
          after = page.nextAfter;
        }
        return seen;
      };
      await eventually("the nodes have seen the change", async () => (await inPages()).length === 1_007);
      expect(await inPages()).toEqual([22, 23, 24, 25, 27, 28, 29, ...more.map(([giftId]) => giftId)]);
    } finally {
      await mysql.run("DELETE FROM t_gift_config WHERE gift_id >= 50000");
    }
    await eventually(
      "they have seen that too",
      async () => (await call(caller, "gift.catalogue", {})).list.length === 7,
    );
  });

  test("an accepted gift is debited, journaled, recorded, announced and shown, once each", async () => {
    const user = await richUser();
    const { orderId } = await send({ userId: user, count: 2 });
    expect(await settled(user, orderId)).toMatchObject({
      status: "succeeded",
      giftId: 22,
      count: 2,
      price: 90,
      receiverId: anchor,
    });
    expect(await balance(user)).toBe(820);
    const trades = await rows(
      "wallet",
      "SELECT num, counterparty_id, counterparty_income, counterparty_income_points AS points FROM t_qiyu_currency_trade WHERE biz_id = ?",
      [orderId],
    );
    expect(trades).toEqual([{ num: "-180", counterparty_id: anchor, counterparty_income: "90", points: "9000" }]);
    const records = await rows(
      "gift",
      "SELECT user_id, object_id, price, count, status, income, income_points FROM t_gift_record WHERE order_id = ?",
      [orderId],
    );
    expect(records).toEqual([
      { user_id: user, object_id: anchor, price: "90", count: 2, status: 1, income: "90", income_points: "9000" },
    ]);
    await eventually("the effect", () => shown.some((one) => one.orderId === orderId));
    expect(shown.filter((one) => one.orderId === orderId)).toEqual([
      {
        ...{ orderId, senderId: user, receiverId: anchor, giftId: 22, count: 2, price: 90, url: "../svga/天使.svga" },
        combo: { id: expect.any(String), count: 2 },
      },
    ]);
  });

  test("50 parallel double clicks over two nodes are one order and one charge", async () => {
    const user = await richUser();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => send({ userId: user, requestId: "double-click" })),
    );
    const ids = new Set(answers.map(({ orderId }) => orderId));
    expect([...ids]).toEqual([orderIdOf(user, "double-click")]);
    await settled(user, [...ids][0] as string);
    expect(await balance(user)).toBe(910);
  });

  test("Redis remembers an order until it is settled, and no longer", async () => {
    const user = await richUser();
    const remembered = (orderId: string) => redis.exists(`gift:accepted:${orderId}`);
    const held = await holdAccounts([user]);
    const { orderId } = await send({ userId: user, requestId: "remembered" });
    expect(await remembered(orderId)).toBe(1);
    await held.release();
    await settled(user, orderId);
    await eventually("forgotten", async () => (await remembered(orderId)) === 0);
  });

  test("the queue's depth counts what is being settled, until it is settled", async () => {
    const user = await richUser();
    const isDepth = (waiting: number, inFlight: number) => async () => {
      const depth = await call(caller, "gift.queueDepth", {});
      return depth.waiting === waiting && depth.inFlight === inFlight;
    };
    await eventually("an empty queue", isDepth(0, 0));
    const held = await holdAccounts([user]);
    try {
      await Promise.all([send({ userId: user }), send({ userId: user })]);
      await eventually("two in hand", isDepth(0, 2));
    } finally {
      await held.release();
    }
    await eventually("an empty queue again", isDepth(0, 0));
  });

  test("a request id with other content is refused while it waits, when it is settled, and when Redis has forgotten it", async () => {
    const user = await richUser();
    const { orderId } = await send({ userId: user, requestId: "the-click" });
    expect(await refusal({ userId: user, requestId: "the-click", count: 2 })).toBe("idempotencyConflict");
    await settled(user, orderId);
    expect(await refusal({ userId: user, requestId: "the-click", giftId: 23 })).toBe("idempotencyConflict");
    await wipeRedis();
    expect(await refusal({ userId: user, requestId: "the-click", count: 2 })).toBe("idempotencyConflict");
    expect(await send({ userId: user, requestId: "the-click" })).toEqual({ orderId });
    expect(await balance(user)).toBe(910);
  });

  test("parallel reuses of a request id with different content: one content wins, the others conflict", async () => {
    const user = await richUser();
    const counts = [1, 2, 3, 4, 5];
    const ask = (count: number) => refusal({ userId: user, requestId: "contested", count });
    const answers = await Promise.all(counts.map(ask));
    const others = answers.filter((answer) => answer !== "accepted");
    expect(others).toHaveLength(4);
    // A node that did not reserve the order looks for a while only for what was accepted.
    for (const answer of others) expect(["idempotencyConflict", "unavailable"]).toContain(answer);
    const order = await settled(user, orderIdOf(user, "contested"));
    expect(order.count).toBe(counts[answers.indexOf("accepted")]);
    for (const count of counts)
      expect([count, await ask(count)]).toEqual([count, count === order.count ? "accepted" : "idempotencyConflict"]);
    expect(await balance(user)).toBe(1000 - 90 * order.count);
  });

  test("of two requests with one request id that cross, the one that finds the coins spent by the other is the same order", async () => {
    const user = await richUser(90);
    const [first, second] = giftNodes as [ServiceBroker, ServiceBroker];
    const request = {
      userId: user,
      giftId: 22,
      roomId: 8,
      receiverId: anchor,
      type: 0,
      count: 1,
      requestId: "crossing",
    };
    liveRooms.set(8, anchor);
    meanwhile = async () => {
      const { orderId } = await call(caller, "gift.send", request, { nodeID: second.nodeID });
      await settled(user, orderId);
    };
    const crossed = await call(caller, "gift.send", request, { nodeID: first.nodeID });
    expect(crossed).toEqual({ orderId: orderIdOf(user, "crossing") });
    expect(await balance(user)).toBe(0);
    expect(await refusal({ ...request, requestId: "another-one" })).toBe("balanceShort");
  });

  test("a frozen receiver is sent nothing from any node until she is unfrozen, and what was accepted before settles", async () => {
    const user = await richUser();
    const receiver = newUser();
    liveRooms.set(9, receiver);
    const to = { userId: user, giftId: 24, roomId: 9, receiverId: receiver, type: 0, count: 1 };
    const onBoth = () =>
      Promise.all(giftNodes.map(({ nodeID }) => call(caller, "gift.send", to, { nodeID }).then(() => "", failureName)));
    const by = { userId: receiver, reason: "checked", operator: "op" };
    expect(await onBoth()).toEqual(["", ""]);
    const held = await holdAccounts([user]);
    const { orderId } = await send(to);
    await call(caller, "wallet.freeze", by);
    const early = await eventually(
      "refused by both",
      async () => {
        const answers = await onBoth();
        return answers.every((answer) => answer === "accountUnusable") && answers;
      },
      2_000,
    ).finally(() => held.release());
    expect(early).toEqual(["accountUnusable", "accountUnusable"]);
    expect(await settled(user, orderId)).toMatchObject({ status: "succeeded" });
    await call(caller, "wallet.unfreeze", by);
    expect(await onBoth()).toEqual(["", ""]);
  });

  test("a frozen sender is refused, and what was accepted before settles as long as the coins are there", async () => {
    const user = await richUser(100);
    const held = await holdAccounts([user]);
    const accepted = await Promise.all([send({ userId: user }), send({ userId: user })]);
    // In order with the gifts: it waits for the same account.
    const freezing = call(caller, "wallet.freeze", { userId: user, reason: "fraud", operator: "op" });
    await held.release();
    await freezing;
    const ends = await Promise.all(accepted.map(({ orderId }) => settled(user, orderId)));
    expect(ends.map(({ status, reason }) => [status, reason]).sort()).toEqual([
      ["failed", "balanceShort"],
      ["succeeded", undefined],
    ]);
    expect(await balance(user)).toBe(10);
    await eventually("refused", async () => (await refusal({ userId: user, giftId: 24 })) === "accountUnusable", 1_000);
  });

  test("a repeat after the room closed is still the same order", async () => {
    const user = await richUser();
    liveRooms.set(6, anchor);
    const { orderId } = await send({ userId: user, roomId: 6, requestId: "before-close" });
    liveRooms.delete(6);
    await broadcast(caller, "living-room.changed", { roomId: 6 });
    expect(await send({ userId: user, roomId: 6, requestId: "before-close" })).toEqual({ orderId });
    const later = () => refusal({ userId: user, roomId: 6, requestId: `after-${Date.now()}` });
    await eventually("the room is closed on both nodes", async () => (await later()) === "roomNotLive");
  });

  test.each([
    ["to oneself", () => ({ receiverId: undefined }), "giftToSelf"],
    ["of an unknown kind", () => ({ giftId: 999 }), "giftUnknown"],
    ["to somebody who is not the anchor", () => ({ receiverId: "78" }), "roomNotLive"],
    ["in a room that is not live", () => ({ roomId: 404 }), "roomNotLive"],
    ["that the balance does not pay for", () => ({ count: 9999 }), "balanceShort"],
  ])("a gift %s is refused at once and leaves nothing", async (_what, change, name) => {
    const user = await richUser();
    const over = change();
    const receiverId = "receiverId" in over ? (over.receiverId ?? user) : anchor;
    expect(await refusal({ userId: user, ...over, receiverId })).toBe(name);
    expect(await rows("gift", "SELECT id FROM t_gift_record WHERE user_id = ?", [user])).toEqual([]);
  });

  test("a balance that is short only at the charge: no money moves, the sender is notified, the record has the reason", async () => {
    const user = await richUser(100);
    const orders = await Promise.all(Array.from({ length: 6 }, () => send({ userId: user }).catch((error) => error)));
    const ids = orders.flatMap((answer) => ("orderId" in answer ? [answer.orderId as string] : []));
    const ends = await Promise.all(ids.map((id) => settled(user, id)));
    expect(ends.filter(({ status }) => status === "succeeded")).toHaveLength(1);
    for (const { orderId } of ends.filter(({ status }) => status === "failed")) {
      const notice = await eventually("the notice", () => told.find(({ data }) => data.orderId === orderId));
      expect(notice).toMatchObject({ userId: user, bizCode: 5557, data: { orderId, code: 10010 } });
    }
    expect(await balance(user)).toBe(10);
  });

  test("an order that is settled during its lookup is found", async () => {
    const user = await richUser();
    const held = await holdAccounts([user]);
    const { orderId } = await send({ userId: user });
    const [node] = giftNodes as [ServiceBroker];
    const memory = (node.getLocalService("gift") as unknown as RedisState).redis;
    jest.spyOn(memory, "get").mockImplementationOnce(async (key) => {
      await held.release();
      await eventually("the order forgotten", async () => (await redis.exists(key)) === 0);
      return null;
    });
    const order = await call(caller, "gift.order", { userId: user, orderId }, { nodeID: node.nodeID });
    expect(order).toMatchObject({ orderId, status: "succeeded" });
  });

  test("an operator finds an order that is on its way, and once it is settled its record", async () => {
    const user = await richUser();
    const held = await holdAccounts([user]);
    const { orderId } = await send({ userId: user, count: 2 });
    const find = () => call(caller, "gift.findOrder", { orderId, operator: "carol" });
    const found = await find().finally(() => held.release());
    const order = { orderId, senderId: user, receiverId: anchor, roomId: 5, giftId: 22, count: 2, price: 90 };
    expect(found).toEqual({ ...order, status: "accepted", time: expect.any(String) });
    await settled(user, orderId);
    // Once it is settled its time is the queue's.
    const settledAs = { status: "succeeded", id: expect.stringMatching(/^\d+$/), time: expect.any(String) };
    expect(await find()).toEqual({ ...found, ...settledAs });
  });

  test("an order is its sender's: others and operators' audit", async () => {
    const user = await richUser();
    const { orderId } = await send({ userId: user });
    await settled(user, orderId);
    await expect(call(caller, "gift.order", { userId: newUser(), orderId })).rejects.toMatchObject({
      type: "giftOrderUnknown",
    });
    expect(await call(caller, "gift.findOrder", { orderId, operator: "bob" })).toMatchObject({ senderId: user });
    const audit = await rows("gift", `SELECT operator, action, outcome FROM ${operatorCalls} WHERE operator = 'bob'`);
    expect(audit).toEqual([{ operator: "bob", action: "gift.findOrder", outcome: "succeeded" }]);
  });

  test("a gift taken off sale or repriced is so on every node long before a cache runs out, and what was accepted keeps its price", async () => {
    const created = { giftId: 7001, giftName: "n", price: 10, coverImgUrl: "", svgaUrl: "", operator: "op" };
    await call(caller, "gift.create", created);
    await expect(call(caller, "gift.create", created)).rejects.toMatchObject({ type: "giftIdTaken" });
    const user = await richUser();
    await Promise.all([1, 2, 3, 4].map(() => send({ userId: user, giftId: 7001 })));
    await call(caller, "gift.update", { giftId: 7001, price: 20, operator: "op" });
    await eventually(
      "the new price on both nodes",
      async () => {
        const lists = await Promise.all(giftNodes.map(({ nodeID }) => call(caller, "gift.catalogue", {}, { nodeID })));
        return lists.every(({ list }) => list.find(({ giftId }) => giftId === 7001)?.price === 20);
      },
      limits.gift.catalogueCacheTtlMs / 10,
    );
    await call(caller, "gift.takeOffShelf", { giftId: 7001, operator: "op" });
    await eventually(
      "refused on both nodes",
      async () => {
        const answers = await Promise.all([1, 2, 3, 4].map(() => refusal({ userId: user, giftId: 7001 })));
        return answers.every((answer) => answer === "giftUnknown");
      },
      limits.gift.catalogueCacheTtlMs / 10,
    );
    const prices = await eventually("four records", async () => {
      const found = await rows<{ price: string }>(
        "gift",
        "SELECT price FROM t_gift_record WHERE gift_id = 7001 AND price = 10",
      );
      return found.length === 4 ? found : undefined;
    });
    expect(prices).toHaveLength(4);
  });

  test("records are paged, newest first; the receiver sees what succeeded", async () => {
    const user = await richUser(200);
    for (let i = 0; i < 3; i++) await settled(user, (await send({ userId: user, giftId: 24 })).orderId);
    const first = await call(caller, "gift.records", { userId: user, direction: "sent", limit: 2 });
    const second = await call(caller, "gift.records", {
      userId: user,
      direction: "sent",
      limit: 2,
      cursor: first.nextCursor ?? "",
    });
    expect([first.list.length, second.list.length, second.nextCursor]).toEqual([2, 1, null]);
    const received = await call(caller, "gift.records", {
      userId: anchor,
      direction: "received",
      roomId: 5,
      limit: 100,
    });
    expect(received.list.every(({ status }) => status === "succeeded")).toBe(true);
    expect(received.list.some(({ senderId }) => senderId === user)).toBe(true);
  });

  test.each<SettleStep>(["charged", "recorded", "published"])(
    "a crash right after '%s' repeats the batch and changes nothing twice",
    async (step) => {
      const user = await richUser();
      let crashes = 0;
      for (const node of giftNodes) {
        const service = node.getLocalService("gift") as unknown as { settleBreakpoint(at: SettleStep): void };
        service.settleBreakpoint = (at) => {
          if (at === step && crashes++ < 2) throw new Error("crash");
        };
      }
      const { orderId } = await send({ userId: user });
      await eventually("shown after the crashes", () => crashes > 2 && shown.some((one) => one.orderId === orderId));
      expect(await settled(user, orderId)).toMatchObject({ status: "succeeded" });
      expect(await balance(user)).toBe(910);
      expect(await rows("gift", "SELECT id FROM t_gift_record WHERE order_id = ?", [orderId])).toHaveLength(1);
    },
  );

  test("while the router is down gifts are settled, and shown once it is back", async () => {
    const user = await richUser();
    routerDown = true;
    const { orderId } = await send({ userId: user });
    expect(await settled(user, orderId)).toMatchObject({ status: "succeeded" });
    expect(shown.some((one) => one.orderId === orderId)).toBe(false);
    routerDown = false;
    await eventually("the effect", () => shown.some((one) => one.orderId === orderId));
  });

  test("a repeat in the queue at another price changes nothing: the order is settled at its first price, and told once", async () => {
    const user = await richUser();
    const orderId = `repriced-${user}`;
    const content = { giftId: 22, roomId: 5, receiverId: anchor, type: 0, count: 1 };
    const message = {
      ...content,
      sharePercent: 50,
      orderId,
      senderId: user,
      url: "",
      acceptedAt: new Date().toISOString(),
    };
    const accepted = (price: number) => ({ ...message, price, contentHash: contentHashOf(content) });
    const subject = `gift.send.${partitionOf(user)}`;
    const first = publish(subject, accepted(90));
    const together = publish(subject, accepted(500));
    await Promise.all([first, together]);
    await eventually("settled", async () => (await balance(user)) < 1000);
    await publish(subject, accepted(700));
    await send({ userId: user, giftId: 24 }).then(({ orderId: last }) => settled(user, last));
    const price = 1000 - (await balance(user)) - 1;
    expect([90, 500]).toContain(price);
    const records = await rows("gift", "SELECT price, status FROM t_gift_record WHERE order_id = ?", [orderId]);
    expect(records).toEqual([{ price: String(price), status: 1 }]);
    expect(told.filter(({ data }) => data.orderId === orderId)).toEqual([]);
  });

  test("an effect that the router cannot bear goes to the dead letters; the gifts beside it are shown", async () => {
    const users = await Promise.all(Array.from({ length: 6 }, () => richUser()));
    const letters = await DeadLetters.open(
      ((giftNodes[0] as ServiceBroker).getLocalService("gift") as unknown as JetStreamState).jetstream.connection,
    );
    const dead = async () => (await letters.countByChannel()).get("gift-effects") ?? 0;
    const before = await dead();
    poisonSender = users[2];
    const orders = await Promise.all(users.map((userId) => send({ userId })));
    const good = orders.filter((_order, index) => index !== 2);
    await eventually("the good ones", () => good.every(({ orderId }) => shown.some((one) => one.orderId === orderId)));
    await eventually("the dead letter", async () => (await dead()) === before + 1, 25_000);
    poisonSender = undefined;
    expect(await settled(users[2] as string, orders[2]?.orderId as string)).toMatchObject({ status: "succeeded" });
    expect(shown.some((one) => one.orderId === orders[2]?.orderId)).toBe(false);
  });

  test("a gift that the ledger on another node cannot write goes to the dead letters; its neighbours settle", async () => {
    const users = await Promise.all(Array.from({ length: 6 }, () => richUser()));
    const depth = () => call(caller, "gift.queueDepth", {});
    const before = (await depth()).deadLetters;
    const books = databaseName("wallet");
    const admin = await createConnection(process.env.MYSQL_URL as string);
    await admin.query(
      `ALTER TABLE ${books}.t_qiyu_currency_trade ADD CONSTRAINT no_poison CHECK (num > 0 OR user_id <> ${users[2]})`,
    );
    try {
      const orders = await Promise.all(users.map((userId) => send({ userId })));
      const ends = await Promise.all(
        orders.flatMap(({ orderId }, index) => (index === 2 ? [] : [settled(users[index] as string, orderId)])),
      );
      expect(ends.map(({ status }) => status)).toEqual(Array(5).fill("succeeded"));
      await eventually("the dead letter", async () => (await depth()).deadLetters === before + 1, 25_000);
      const poisoned = `gift:accepted:${orders[2]?.orderId}`;
      await eventually("the order is forgotten", async () => (await redis.exists(poisoned)) === 0);
    } finally {
      await admin.query(`ALTER TABLE ${books}.t_qiyu_currency_trade DROP CONSTRAINT no_poison`);
      await admin.end();
    }
    expect(await balance(users[2] as string)).toBe(1000);
    await eventually("nothing held", async () => (await depth()).inFlight === 0);
  });

  test("a poison message goes to the dead letters without holding up its neighbours", async () => {
    const user = await richUser();
    const { jetstream } = (giftNodes[0] as ServiceBroker).getLocalService("gift") as unknown as JetStreamState;
    const letters = await DeadLetters.open(jetstream.connection);
    const count = async () => (await letters.countByChannel()).get("gift-settler") ?? 0;
    const before = await count();
    await publish("gift.send.3", "{broken");
    await publish("gift.send.3", { orderId: "x", count: -1 });
    const { orderId } = await send({ userId: user });
    expect(await settled(user, orderId)).toMatchObject({ status: "succeeded" });
    await eventually("two dead letters", async () => (await count()) === before + 2);
    // What was put aside is acked after that.
    await eventually("nothing waits", async () => {
      const { waiting, inFlight } = await call(caller, "gift.queueDepth", {});
      return waiting + inFlight === 0;
    });
  });
});

async function wipeRedis(): Promise<void> {
  const prefix = redis.options.keyPrefix ?? "";
  const keys = await redis.keys(`${prefix}*`);
  if (keys.length > 0) await redis.del(keys.map((key) => key.slice(prefix.length)));
}
