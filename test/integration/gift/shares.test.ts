import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { connect } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { projectRoot } from "../../../config/root.ts";
import { call } from "../../../services/contracts.ts";
import { contentHashOf, partitionOf } from "../../../services/gift/accepted-gift.ts";
import type { SettledGift } from "../../../services/gift/gift.contract.ts";
import gift from "../../../services/gift/gift.service.ts";
import type { GiftState } from "../../../services/gift/gift-state.ts";
import { insertShare } from "../../../services/gift/share-store.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { holdAccounts } from "../../support/held-accounts.ts";
import { liveRooms } from "../../support/live-rooms.ts";
import { publish, recharge } from "../../support/recharge.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

let next = 1000;
const newUser = () => String(9_500_000_000_000_000_000n + BigInt(next++));
/** Each room is its anchor's: room n of anchor n. */
const anchorOf = (roomId: number) => String(9_600_000_000_000_000_000n + BigInt(roomId));
let nextRoom = 1;

const neighbours = [
  liveRooms(anchorOf),
  { name: "im-router", actions: { roomGifts: () => null, sendToUsers: () => ({ delivered: 1 }) } },
] as unknown as ServiceSchema[];

let caller: ServiceBroker;
let giftNode: ServiceBroker;

beforeAll(async () => {
  await startNode("neighbours", neighbours);
  await startNode("wallet", [wallet]);
  giftNode = await startNode("gift", [gift]);
  caller = await startNode("caller", []);
  await caller.waitForServices(["gift", "wallet", "living-room", "im-router"]);
});
afterAll(stopAll);
afterEach(expectBooksBalanced);

const giftDb = () => (giftNode.getLocalService("gift") as unknown as GiftState).mysql;
const setShare = (anchorId: string, percent: number | null, from?: Date) =>
  insertShare(giftDb(), { anchorId, percent, from, operator: "test" });

async function fan(coins = 1_000): Promise<string> {
  const user = newUser();
  await recharge(caller, `order-${user}`, user, coins);
  return user;
}

const send = (userId: string, roomId: number, count = 1) =>
  call(caller, "gift.send", { userId, giftId: 24, roomId, receiverId: anchorOf(roomId), type: 0, count });

/** What ledger and record say that each gift brought, once they are settled. */
async function pointsOf(orderIds: readonly string[]): Promise<number[]> {
  const records = await eventually(`${orderIds.length} orders settled`, async () => {
    const found = await rows<{ order_id: string; income: string; income_points: string }>(
      "gift",
      "SELECT order_id, income, income_points FROM t_gift_record WHERE order_id IN (?)",
      [orderIds],
    );
    return found.length === orderIds.length ? new Map(found.map((row) => [row.order_id, row])) : undefined;
  });
  const trades = await rows<{ biz_id: string; points: string }>(
    "wallet",
    "SELECT biz_id, counterparty_income_points AS points FROM t_qiyu_currency_trade WHERE biz_id IN (?)",
    [orderIds],
  );
  expect(trades).toHaveLength(orderIds.length);
  for (const { biz_id, points } of trades) expect(points).toBe(records.get(biz_id)?.income_points);
  for (const { income, income_points } of records.values())
    expect(income).toBe(String(Math.floor(Number(income_points) / 100)));
  return orderIds.map((orderId) => Number(records.get(orderId)?.income_points));
}

const points = async (orderId: string) => (await pointsOf([orderId]))[0];

/** The gift as event.gift.settled tells of it. */
async function told(orderId: string): Promise<SettledGift | undefined> {
  const connection = await connect(natsOptions("test"));
  try {
    const manager = await connection.jetstreamManager();
    const { state } = await manager.streams.info(`${natsPrefix()}EVENTS`);
    for (let seq = state.last_seq; seq >= state.first_seq; seq--) {
      const message = await manager.streams.getMessage(`${natsPrefix()}EVENTS`, { seq });
      if (!message.subject.endsWith("event.gift.settled")) continue;
      const { data } = message.json<{ data: { gifts: SettledGift[] } }>();
      const found = data.gifts.find((one) => one.orderId === orderId);
      if (found) return found;
    }
    return undefined;
  } finally {
    await connection.close();
  }
}

describe("an anchor's share", () => {
  test("is the default's without one of her own, and a hundred gifts of 1 coin earn 50 coins", async () => {
    const roomId = nextRoom++;
    const user = await fan();
    const orders = await Promise.all(Array.from({ length: 100 }, () => send(user, roomId)));
    expect(new Set(await pointsOf(orders.map(({ orderId }) => orderId)))).toEqual(new Set([50]));
    const income = await eventually("the income", async () => {
      const now = await call(caller, "wallet.income", { userId: anchorOf(roomId) });
      return now.earnedPoints === 5_000 ? now : undefined;
    });
    expect(income).toMatchObject({ income: 50, incomePoints: 5_000 });
    const event = await eventually("the event", () => told(orders[0]?.orderId as string));
    expect(event).toMatchObject({ price: 1, income: 0, incomePoints: 50 });
  });

  test("is fixed when the gift is accepted, although the table changes before it is settled", async () => {
    const roomId = nextRoom++;
    await setShare(anchorOf(roomId), 60);
    const user = await fan();
    const held = await holdAccounts([user]);
    const { orderId } = await send(user, roomId, 3);
    await setShare(anchorOf(roomId), 10);
    await held.release();
    expect(await points(orderId)).toBe(180);
  });

  test("is fixed by the accepting node; whatever the settler's setting is", async () => {
    const roomId = nextRoom++;
    const user = await fan();
    const content = { giftId: 24, roomId, receiverId: anchorOf(roomId), type: 0, count: 3 };
    const message = (share: object) => ({
      ...{ ...content, ...share, orderId: randomUUID(), senderId: user, price: 1, url: "" },
      ...{ contentHash: contentHashOf(content), acceptedAt: new Date().toISOString() },
    });
    const messages = [{ sharePercent: 35 }, { sharePercent: 0 }, { sharePercent: 100 }].map(message);
    for (const one of messages) await publish(`gift.send.${partitionOf(user)}`, one, one.orderId);
    expect(await pointsOf(messages.map(({ orderId }) => orderId))).toEqual([105, 0, 300]);
  });

  test("of her own is in force within a second, from its time on and until the next, and no gift before has it", async () => {
    const roomId = nextRoom++;
    const user = await fan();
    const before = await send(user, roomId);
    await setShare(anchorOf(roomId), 70);
    const from = new Date(Date.now() + 2_500);
    await setShare(anchorOf(roomId), 80, from);
    const brings = async (wanted: number) => {
      const { orderId } = await send(user, roomId);
      return (await points(orderId)) === wanted;
    };
    await eventually("70 %", () => brings(70), limits.gift.shareCacheMs + 2_000);
    expect(Date.now()).toBeLessThan(from.getTime());
    await eventually("80 %, when its time has come", () => brings(80), 6_000);
    expect(Date.now()).toBeGreaterThanOrEqual(from.getTime());
    await setShare(anchorOf(roomId), null);
    await eventually("the default again", () => brings(50), 3_000);
    expect(await points(before.orderId)).toBe(50);
  });

  test("is looked up for many receivers together, and not for every gift", async () => {
    const user = await fan();
    const roomIds = Array.from({ length: 40 }, () => nextRoom++);
    const own = roomIds.filter((_, at) => at % 2 === 0);
    for (const roomId of own) await setShare(anchorOf(roomId), 90);
    const { mysql } = giftNode.getLocalService("gift") as unknown as GiftState;
    const asked = jest.spyOn(mysql, "query");
    const orders = await Promise.all(roomIds.flatMap((roomId) => [1, 2, 3].map(() => send(user, roomId))));
    const looks = asked.mock.calls.filter(([sql]) => sql.includes("t_anchor_share")).length;
    asked.mockRestore();
    expect(looks).toBeLessThan(40);
    const wanted = roomIds.flatMap((roomId) => Array.from({ length: 3 }, () => (own.includes(roomId) ? 90 : 50)));
    expect(await pointsOf(orders.map(({ orderId }) => orderId))).toEqual(wanted);
  });
});

describe("npm run anchor-share", () => {
  function command(...args: string[]): Promise<{ code: number; out: string }> {
    return new Promise((resolve) => {
      const all = [join(projectRoot(), "scripts/anchor-share.ts"), ...args];
      execFile(process.execPath, all, { cwd: projectRoot(), env: process.env }, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, out: stdout + stderr });
      });
    });
  }

  test("writes a share, removes it, and lists what is in force, who wrote it and when", async () => {
    const roomId = nextRoom++;
    const anchor = anchorOf(roomId);
    const set = await command("set", anchor, "65", "--by", "ada");
    expect(set).toMatchObject({
      code: 0,
      out: expect.stringMatching(/has 65 % from now on.*\n.* 65 % .*in force +by ada/),
    });
    const removed = await command("remove", anchor, "--from", "2099-01-01");
    expect(removed.out).toMatch(/the default share from 2098-12-31T16:00:00.000Z on/);
    const list = (await command("list", anchor)).out.trim().split("\n");
    expect(list.map((line) => [/(\d+ %|default)/.exec(line)?.[1], line.includes("in force")])).toEqual([
      ["65 %", true],
      ["default", false],
    ]);
    const { orderId } = await send(await fan(), roomId);
    expect(await points(orderId)).toBe(65);
    const stored = await rows("gift", "SELECT percent, operator FROM t_anchor_share WHERE anchor_id = ? ORDER BY id", [
      anchor,
    ]);
    expect(stored).toMatchObject([{ percent: 65, operator: "ada" }, { percent: null }]);
  });

  test("writes nothing where the time is over, and prints the reason", async () => {
    const over = await command("set", "7", "50", "--from", "2020-01-01");
    expect([over.code, over.out]).toEqual([1, expect.stringMatching(/2019-12-31T16:00:00.000Z is over/)]);
    expect(await rows("gift", "SELECT id FROM t_anchor_share WHERE anchor_id = 7")).toEqual([]);
  });
});
