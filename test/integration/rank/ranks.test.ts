import type { ServiceBroker } from "moleculer";
import type { RowDataPacket } from "mysql2/promise";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { call } from "../../../services/contracts.ts";
import giftService from "../../../services/gift/gift.service.ts";
import type { GiftCounter } from "../../../services/rank/gift-counter.ts";
import { Calendar } from "../../../services/rank/periods.ts";
import rank from "../../../services/rank/rank.service.ts";
import { liveRooms } from "../../support/live-rooms.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { Books, ended, gift, type MadeGift, newId, verified } from "./records.ts";

jest.setTimeout(90_000);

let books: Books;
let caller: ServiceBroker;
let rankNode: ServiceBroker;
const users = {
  name: "user",
  actions: {
    profiles({ params }: { params: { userIds: string[] } }) {
      return { list: params.userIds.map((userId) => ({ userId, nickName: `n${userId}`, avatar: "a" })) };
    },
  },
};
const shanghai = new Calendar("Asia/Shanghai");
/** The rooms that are live. */
const live = new Set<number>();
const me = "999999999999999999";
const quick = { ...rank, settings: { ...rank.settings, secondLookMs: 300, jobsEveryMs: 200, maintenanceEveryMs: 300 } };

beforeAll(async () => {
  await startNode("neighbours", [users as never, liveRooms((roomId) => (live.has(roomId) ? "77" : undefined))]);
  await startNode("gift", [giftService]);
  [rankNode] = await Promise.all([startNode("rank-1", [quick]), startNode("rank-2", [quick])]);
  caller = await startNode("caller", []);
  await caller.waitForServices(["rank", "gift", "user"]);
  books = await Books.open();
});
afterAll(async () => {
  await books?.close();
  await stopAll();
});

const short = (list: readonly { userId: string; coins: number }[]) => list.map(({ userId, coins }) => [userId, coins]);
const ofRoom = (roomId: number, userId = me) => call(caller, "rank.room", { roomId, userId });
const roomShows = (roomId: number, expected: [string, number][], timeoutMs?: number) =>
  eventually(
    `the rank of room ${roomId}`,
    async () => {
      const { list } = await ofRoom(roomId);
      return JSON.stringify(short(list)) === JSON.stringify(expected);
    },
    timeoutMs,
  );
/** An answer whose names are all there: one goes out without those that are not known in time. */
const named = <R extends { list: readonly { nickName: string }[] }>(ask: () => Promise<R>) =>
  eventually("all names", async () => {
    const answer = await ask();
    return answer.list.every(({ nickName }) => nickName !== "") ? answer : undefined;
  });

test("a gift is on all its boards within two seconds, with name and avatar; one that failed is on none", async () => {
  const [roomId, receiverId] = [newId(), String(newId())];
  const rich = gift({ roomId, receiverId, count: 900, price: 1_000_000 });
  const poor = gift({ roomId, receiverId, count: 2, price: 7 });
  const failed = gift({ roomId, receiverId, status: "failed" });
  await books.settle([rich, poor, failed]);
  const both: [string, number][] = [
    [rich.senderId, 900_000_000],
    [poor.senderId, 14],
  ];
  await roomShows(roomId, both, 2_000);
  for (const span of ["day", "week", "month", "all"] as const) {
    const own = await call(caller, "rank.anchor", { anchorId: receiverId, span, userId: poor.senderId });
    expect([span, short(own.list), own.me]).toEqual([span, both, { rank: 2, coins: 14 }]);
    const senders = await call(caller, "rank.global", { by: "senders", span, userId: me });
    expect([span, ...short(senders.list.slice(0, 1))]).toEqual([span, [rich.senderId, 900_000_000]]);
    const anchors = await named(() => call(caller, "rank.global", { by: "anchors", span, userId: receiverId }));
    expect([span, anchors.me]).toEqual([span, { rank: 1, coins: 900_000_014 }]);
    expect(anchors.list[0]).toEqual({
      ...{ rank: 1, userId: receiverId, nickName: `n${receiverId}`, avatar: "a", coins: 900_000_014 },
    });
  }
  expect((await ofRoom(roomId)).me).toEqual({ rank: null, coins: 0 });
});

test("a repeat in other groupings, on any node, counts nothing twice", async () => {
  const roomId = newId();
  const gifts = Array.from({ length: 30 }, (_, n) => gift({ roomId, senderId: String(5_000 + (n % 3)) }));
  await books.record(gifts);
  await books.publish(gifts);
  for (let from = 0; from < gifts.length; from += 4) await books.publish(gifts.slice(from, from + 4));
  const last = gift({ roomId, price: 1 });
  await books.settle([...gifts.slice(0, 2), last].slice(2));
  await books.publish([...gifts, last]);
  await roomShows(roomId, [
    ["5000", 100],
    ["5001", 100],
    ["5002", 100],
    [last.senderId, 1],
  ]);
});

test("among equal sums who reached hers first is first, then the smaller id", async () => {
  const roomId = newId();
  const begin = Date.now() - 10_000;
  const at = (ms: number) => new Date(begin + ms).toISOString();
  const [late, early, tied] = [
    gift({ roomId, time: at(9) }),
    gift({ roomId, time: at(3) }),
    gift({ roomId, time: at(9) }),
  ];
  // Her first gift is the earliest of all, her sum is reached last.
  const sender = String(newId());
  const halves = [at(1), at(12)].map((time) => gift({ roomId, senderId: sender, price: 5, time }));
  await books.settle([late, tied, halves[1] as MadeGift]);
  await books.settle([early, halves[0] as MadeGift]);
  await roomShows(
    roomId,
    [early, late, tied].map(({ senderId }): [string, number] => [senderId, 10]).concat([[sender, 10]]),
  );
});

test("a gift belongs to the day of its time, also when it is counted after midnight; a removed period is not made again", async () => {
  const receiverId = String(newId());
  const today = shanghai.periodsOf(Date.now()).day;
  const midnight = Date.parse(`${String(today).replace(/(....)(..)(..)/, "$1-$2-$3")}T00:00:00.000+08:00`);
  const before = gift({ receiverId, time: new Date(midnight - 1).toISOString() });
  const after = gift({ receiverId, time: new Date(midnight).toISOString() });
  const longAgo = gift({ receiverId, time: "2020-02-02T02:02:02.002Z" });
  await books.settle([before, after, longAgo]);
  const show = (span: "day" | "all") => call(caller, "rank.anchor", { anchorId: receiverId, span, userId: me });
  await eventually("all are counted", async () => (await show("all")).list.length === 3);
  expect(short((await show("day")).list)).toEqual([[after.senderId, 10]]);
  const [rows] = await books.database.query<RowDataPacket[]>(
    `SELECT kind, period FROM ${databaseName("rank")}.t_rank_total WHERE user_id = ? AND scope = ? ORDER BY kind`,
    [longAgo.senderId, receiverId],
  );
  expect(rows.map(({ kind, period }) => [Number(kind), Number(period)])).toEqual([[14, 0]]);
});

test("the first 100 are listed, and me.rank is the place up to 10,000 and null beyond it", async () => {
  const roomId = newId();
  const sums = Array.from({ length: 10_005 }, (_, n) => [1, 1, 0, roomId, 2_000_000 + n, 20_000 - n, 1]);
  await books.database.query(
    `INSERT INTO ${databaseName("rank")}.t_rank_total (generation, kind, period, scope, user_id, coins, reached_ms)
     VALUES ?`,
    [sums],
  );
  const placeOf = async (n: number) => (await ofRoom(roomId, String(2_000_000 + n))).me;
  const { list } = await named(() => ofRoom(roomId));
  expect([list.length, list[0]?.userId, list[99]]).toEqual([
    ...[100, "2000000", { rank: 100, userId: "2000099", nickName: "n2000099", avatar: "a", coins: 19_901 }],
  ]);
  expect(await placeOf(99)).toEqual({ rank: 100, coins: 19_901 });
  expect(await placeOf(100)).toEqual({ rank: 101, coins: 19_900 });
  expect(await placeOf(9_999)).toEqual({ rank: 10_000, coins: 10_001 });
  expect(await placeOf(10_000)).toEqual({ rank: null, coins: 10_000 });
  await books.database.query(`DELETE FROM ${databaseName("rank")}.t_rank_total WHERE scope = ?`, [roomId]);
});

test("an event of an earlier release, without record ids, is counted once all the same", async () => {
  const roomId = newId();
  const gifts = [gift({ roomId }), gift({ roomId, price: 4 })];
  await ended(caller, "rebuild");
  await books.record(gifts);
  await books.publish(gifts, ({ recordId: _recordId, ...rest }: { recordId?: string }) => rest);
  await roomShows(
    roomId,
    gifts.map(({ senderId, price }) => [senderId, price]),
  );
});

describe("a sum beyond the largest safe integer", () => {
  test("is not counted, and the other gifts of its event are", async () => {
    const roomId = newId();
    const sender = String(newId());
    const most = { count: 9_007_199, price: 1_000_000_000 };
    await books.settle([gift({ roomId, senderId: sender, ...most })]);
    await roomShows(roomId, [[sender, 9_007_199_000_000_000]]);
    const refused = gift({ roomId, senderId: sender, count: 1, price: 1_000_000_000 });
    const other = gift({ roomId });
    await books.record([other]);
    await books.publish([refused, other]);
    await roomShows(roomId, [
      [sender, 9_007_199_000_000_000],
      [other.senderId, 10],
    ]);
    const { counter } = rankNode.getLocalService("rank") as unknown as { counter: GiftCounter };
    const settled = { ...refused, orderId: "o", giftId: 22, income: 0, incomePoints: 0, type: 0, url: "" };
    await expect(counter.count([settled])).rejects.toThrow(
      `the sum of user ${sender} on the board room ${roomId} would exceed 2^53`,
    );
  });
});

test("boards of periods that ended long ago, and of rooms that are not live, are removed; a live room keeps its board", async () => {
  const [closed, open, recent] = [newId(), newId(), newId()];
  live.add(open);
  const old = Date.now() - limits.rank.roomsKeptMs - 60_000;
  const [anchor, yesterday] = [newId(), shanghai.periodsOf(Date.now() - 86_400_000).day];
  await books.database.query(
    `INSERT INTO ${databaseName("rank")}.t_rank_total (generation, kind, period, scope, user_id, coins, reached_ms)
     VALUES ?`,
    [
      [
        ...[closed, open, recent].map((roomId) => [1, 1, 0, roomId, 5, 10, old]),
        ...[20200101, yesterday].map((day) => [1, 11, day, anchor, 5, 10, old]),
      ],
    ],
  );
  await books.database.query(`INSERT INTO ${databaseName("rank")}.t_rank_room (room_id, seen_ms) VALUES ?`, [
    [
      [closed, old],
      [open, old],
      [recent, Date.now()],
    ],
  ]);
  const left = async () => {
    const [rows] = await books.database.query<RowDataPacket[]>(
      `SELECT period, scope FROM ${databaseName("rank")}.t_rank_total WHERE scope IN (?) ORDER BY kind, scope`,
      [[closed, open, recent, anchor]],
    );
    return rows.map(({ period, scope }) => [Number(period), Number(scope)]);
  };
  await eventually("the old boards are removed", async () => (await left()).length === 3);
  expect(await left()).toEqual([
    [0, open],
    [0, recent],
    [yesterday, anchor],
  ]);
  await books.database.query(`DELETE FROM ${databaseName("rank")}.t_rank_total WHERE user_id = 5`);
});

test("all of it is what the gift records say, and a coin that is changed is found and named", async () => {
  const found = await verified(caller);
  expect([found.state, found.differences, found.shown]).toEqual(["done", 0, []]);
  const roomId = newId();
  const one = gift({ roomId });
  const uncounted = gift({ roomId });
  await books.settle([one]);
  await roomShows(roomId, [[one.senderId, 10]]);
  await books.record([uncounted]);
  const totals = `${databaseName("rank")}.t_rank_total`;
  await books.database.query(`UPDATE ${totals} SET coins = 11 WHERE kind = 1 AND scope = ?`, [roomId]);
  const differs = await verified(caller);
  expect(differs.shown).toEqual([
    `room ${roomId}, user ${one.senderId}: 11 coins, reached ${one.time}, by the gift records 10 coins, reached ${one.time}`,
    `the gift of record ${uncounted.recordId} is not counted`,
  ]);
  // From nothing everything is right again, in a generation of its own.
  await call(caller, "rank.rebuild", { anew: true });
  await ended(caller, "rebuild");
  await roomShows(roomId, [
    [one.senderId, 10],
    [uncounted.senderId, 10],
  ]);
  expect((await verified(caller)).differences).toBe(0);
  await eventually("the rows of the old generation are removed", async () => {
    const [rows] = await books.database.query<RowDataPacket[]>(`SELECT 1 FROM ${totals} WHERE generation = 1 LIMIT 1`);
    return rows.length === 0;
  });
});
