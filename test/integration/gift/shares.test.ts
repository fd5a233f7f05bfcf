import { execFile } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
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
import { setShare as writeShare } from "../../../services/gift/shares.ts";
import { signShare, verdictOfShare } from "../../../services/signed-shares.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { holdAccounts } from "../../support/held-accounts.ts";
import { liveRooms } from "../../support/live-rooms.ts";
import { publish, recharge } from "../../support/recharge.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

// Tests start the program itself.
jest.setTimeout(90_000);

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

const giftService = () => giftNode.getLocalService("gift") as unknown as GiftState;
const setShare = (anchorId: string, percent: number | null, from?: Date) =>
  writeShare(giftService().mysql, giftService().bookKeys, { anchorId, percent, from, operator: "test" });

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
    const from = new Date(Date.now() + 6_000);
    await setShare(anchorOf(roomId), 80, from);
    /** When a gift that brings so much was asked for, and when it was answered, ms. */
    const brings = async (wanted: number) => {
      const asked = Date.now();
      const { orderId } = await send(user, roomId);
      const answered = Date.now();
      return (await points(orderId)) === wanted ? { asked, answered } : undefined;
    };
    const first = await eventually("70 %", () => brings(70), limits.gift.shareCacheMs + 4_000);
    expect(first.asked).toBeLessThan(from.getTime());
    const second = await eventually("80 %, when its time has come", () => brings(80), 12_000);
    expect(second.answered).toBeGreaterThanOrEqual(from.getTime());
    await setShare(anchorOf(roomId), null);
    await eventually("the default again", () => brings(50), limits.gift.shareCacheMs + 4_000);
    expect(await points(before.orderId)).toBe(50);
  });

  test("is looked up for many receivers together, and not for every gift", async () => {
    const user = await fan();
    const roomIds = Array.from({ length: 40 }, () => nextRoom++);
    const own = roomIds.filter((_, at) => at % 2 === 0);
    for (const roomId of own) await setShare(anchorOf(roomId), 90);
    const { mysql } = giftService();
    const asked = jest.spyOn(mysql, "query");
    const orders = await Promise.all(roomIds.flatMap((roomId) => [1, 2, 3].map(() => send(user, roomId))));
    const looks = asked.mock.calls.filter(([sql]) => sql.includes("t_anchor_share")).length;
    asked.mockRestore();
    expect(looks).toBeLessThan(40);
    const wanted = roomIds.flatMap((roomId) => Array.from({ length: 3 }, () => (own.includes(roomId) ? 90 : 50)));
    expect(await pointsOf(orders.map(({ orderId }) => orderId))).toEqual(wanted);
  });
});

describe("a row of t_anchor_share that gift did not sign", () => {
  /** As whoever has gift's login at MySQL, and none of its keys. */
  const insert = (sql: string, values: unknown[]) =>
    giftService().mysql.run(`INSERT INTO t_anchor_share (${columns}) ${sql}`, values);
  const columns = "anchor_id, percent, from_time, operator, create_time, key_name, signature";
  const signingName = () => giftService().bookKeys.signing.id;
  const made = (anchor: string, keyName: string) =>
    insert("VALUES (?, 100, UTC_TIMESTAMP(3), 'console:ada', UTC_TIMESTAMP(3), ?, ?)", [
      anchor,
      keyName,
      randomBytes(32),
    ]);

  test("gives no share, and the row before it stays in force", async () => {
    const [bare, own] = [nextRoom++, nextRoom++];
    await setShare(anchorOf(own), 60);
    for (const roomId of [bare, own]) await made(anchorOf(roomId), signingName());
    const user = await fan();
    const orders = await Promise.all([bare, own].map((roomId) => send(user, roomId)));
    expect(await pointsOf(orders.map(({ orderId }) => orderId))).toEqual([50, 60]);
    const { list } = await call(caller, "gift.shares", { anchorId: anchorOf(own) });
    expect(list).toMatchObject([
      { percent: 60, verdict: "right", inForce: true },
      { percent: 100, verdict: "wrong", inForce: false },
    ]);
  });

  test("as another anchor's, or for another share or time, is none either, and a copy of a row is refused", async () => {
    const [hers, other] = [anchorOf(nextRoom++), anchorOf(nextRoom++)];
    await setShare(hers, 90);
    const copy = (anchor: string, percent: string, from: string) =>
      insert(
        `SELECT ?, ${percent}, ${from}, operator, create_time, key_name, signature FROM t_anchor_share WHERE anchor_id = ?`,
        [anchor, hers],
      );
    await copy(other, "percent", "from_time");
    await copy(other, "percent", "from_time - INTERVAL 1 DAY");
    await expect(copy(hers, "percent", "from_time")).rejects.toMatchObject({ errno: 1062 });
    await setShare(hers, 40);
    const { list } = await call(caller, "gift.shares", { limit: limits.http.pageSizeMax });
    const verdicts = (anchor: string) => list.filter(({ anchorId }) => anchorId === anchor).map((one) => one.verdict);
    expect([verdicts(hers), verdicts(other)]).toEqual([
      ["right", "right"],
      ["wrong", "wrong"],
    ]);
    expect(list.filter((one) => one.inForce && one.anchorId === other)).toEqual([]);
  });

  test("with a key that the node does not have makes her gifts unavailable, until a row that it can read", async () => {
    const roomId = nextRoom++;
    await made(anchorOf(roomId), "unknown");
    const user = await fan();
    await expect(send(user, roomId)).rejects.toMatchObject({ type: "unavailable" });
    await setShare(anchorOf(roomId), null);
    const { orderId } = await send(user, roomId);
    expect(await points(orderId)).toBe(50);
  });

  test("is none for another anchor although its key is gift's", () => {
    const now = new Date();
    const share = { anchorId: "7", percent: 60, from: now, operator: "ada", written: now };
    const signed = signShare(giftService().bookKeys, share);
    expect(verdictOfShare(giftService().bookKeys, signed)).toBe("right");
    for (const other of [{ anchorId: "8" }, { percent: 61 }, { percent: null }, { operator: "bob" }])
      expect(verdictOfShare(giftService().bookKeys, { ...signed, ...other })).toBe("wrong");
    for (const other of ["from", "written"])
      expect(verdictOfShare(giftService().bookKeys, { ...signed, [other]: new Date(now.getTime() + 1) })).toBe("wrong");
  });
});

describe("npm run anchor-share", () => {
  function command(...args: string[]): Promise<{ code: number; out: string }> {
    return new Promise((resolve) => {
      const all = [join(projectRoot(), "scripts/anchor-share.ts"), ...args];
      execFile(
        process.execPath,
        all,
        { cwd: projectRoot(), env: { ...process.env, CONSOLE_NAME: "ada", CONSOLE_URL: process.env.NATS_URL } },
        (error, stdout, stderr) => {
          resolve({ code: error ? Number(error.code) : 0, out: stdout + stderr });
        },
      );
    });
  }

  test("writes a share, removes it, and lists what is in force, who wrote it and when", async () => {
    const roomId = nextRoom++;
    const anchor = anchorOf(roomId);
    const set = await command("set", anchor, "65");
    expect(set).toMatchObject({
      code: 0,
      out: expect.stringMatching(/has 65 % from now on.*\n.* 65 % .*in force +by console:ada/),
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
    expect(stored).toMatchObject([{ percent: 65, operator: "console:ada" }, { percent: null }]);
    const audited = await rows<{ operator: string; params: string | null; outcome: string }>(
      "gift",
      "SELECT operator, params, outcome FROM t_operator_audit WHERE action = 'gift.setShare' ORDER BY id LIMIT 2",
    );
    expect(audited.map(({ params, ...row }) => ({ ...row, params: JSON.parse(params ?? "null") }))).toEqual([
      { operator: "console:ada", outcome: "started", params: { anchorId: anchor, percent: 65 } },
      { operator: "console:ada", outcome: "succeeded", params: null },
    ]);
  });

  test("writes nothing where the time is over, and prints the reason", async () => {
    const over = await command("set", "7", "50", "--from", "2020-01-01");
    expect([over.code, over.out]).toEqual([1, expect.stringMatching(/2019-12-31T16:00:00.000Z is over/)]);
    expect(await rows("gift", "SELECT id FROM t_anchor_share WHERE anchor_id = 7")).toEqual([]);
  });
});
