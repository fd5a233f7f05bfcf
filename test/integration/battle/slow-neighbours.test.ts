/** Neighbours that do not answer, or answer slowly, hold up nothing but what needs them. */
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import type { Database } from "../../../mixins/mysql/database.ts";
import { call } from "../../../services/contracts.ts";
import { routerBucketOf } from "../../../services/im-buckets.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { battleDatabase, inState, shown, startBattles, World } from "./battle-nodes.ts";

type Handler = (ctx: { params: Record<string, unknown> }) => unknown;

const world = new World();
/** The actions that do not answer, each until it is let go. */
const held = new Map<string, PromiseWithResolvers<void>>();
const hold = (...names: string[]) => {
  for (const name of names) held.set(name, Promise.withResolvers());
};
function letGo(): void {
  for (const { resolve } of held.values()) resolve();
  held.clear();
}
const waiting = new Map<string, number>();
interface Asked {
  from: string;
  until: string;
  without: string[];
  topSenders?: boolean;
}
/** The rooms of each call that brought scores. */
const scoreCalls: number[][] = [];
/** Called after an answer of gift.totals is made and before it is sent. */
let afterTotals: (asked: Asked) => void = () => {};
const spanOf = ({ from, until }: Asked) => Date.parse(until) - Date.parse(from);

/** The world's neighbours, whose actions can be held. */
function schemas(): ServiceSchema[] {
  return world.schemas().map(({ actions, ...rest }) => ({
    ...rest,
    actions: Object.fromEntries(
      Object.entries(actions as Record<string, Handler>).map(([name, handler]) => [
        name,
        async (ctx: Parameters<Handler>[0]) => {
          const full = `${rest.name}.${name}`;
          waiting.set(full, (waiting.get(full) ?? 0) + 1);
          await held.get(full)?.promise;
          waiting.set(full, (waiting.get(full) ?? 0) - 1);
          const answer = await handler(ctx);
          if (full === "im-router.battleScores")
            scoreCalls.push((ctx.params.battles as { roomIds: number[] }[]).flatMap(({ roomIds }) => roomIds));
          if (full === "gift.totals") afterTotals(ctx.params as unknown as Asked);
          return answer;
        },
      ]),
    ),
  })) as unknown as ServiceSchema[];
}

let neighbours: ServiceBroker;
let database: Database;

beforeAll(async () => {
  neighbours = await startNode("neighbours", schemas());
  const node = await startBattles("battle-1");
  database = battleDatabase();
  await node.waitForServices(["gift", "im-router", "living-room", "user", "wallet"]);
  await eventually("the caller sees the node", () => neighbours.registry.hasService("battle", node.nodeID));
});
afterEach(() => {
  letGo();
  afterTotals = () => {};
});
afterAll(async () => {
  letGo();
  await database.close();
  await stopAll();
});

async function joined(guestId: string): Promise<{ roomId: number; userId: string; battleId: string }> {
  const pk = world.room(2);
  world.presence.set(guestId, pk.roomId);
  const { battleId } = await call(neighbours, "battle.join", { roomId: pk.roomId, userId: guestId });
  return { ...pk, battleId };
}
const rows = (sql: string, battleId: string) => database.query(sql, [battleId]);
const end = ({ battleId, userId }: { battleId: string; userId: string }) =>
  call(neighbours, "battle.end", { battleId, userId });

test("a guest is unlinked, battles end and invitations expire while results, frames and presence get no answer", async () => {
  const [first, second] = [await joined("61"), await joined("62")];
  hold("gift.settledBefore", "gift.totals", "im-router.battleState", "im-router.attendance");
  await end(first);
  await eventually("her result waits", () => waiting.get("gift.settledBefore") === 1);
  await eventually("presence waits", () => waiting.get("im-router.attendance") === 1);
  await eventually("the guest is unlinked", () => !world.guests.has(first.roomId));
  const [a, b] = [world.room(), world.room()];
  const { battleId } = await call(neighbours, "battle.invite", { ...a, opponentRoomId: b.roomId });
  await database.run("UPDATE t_battle SET invited_time = invited_time - INTERVAL 30 SECOND WHERE id = ?", [battleId]);
  await database.run("UPDATE t_battle SET planned_end = start_time + INTERVAL 1 SECOND WHERE id = ?", [
    second.battleId,
  ]);
  await eventually("the invitation is expired", async () => {
    const found = await rows("SELECT id FROM t_battle WHERE id = ? AND state = 'expired'", battleId);
    return found.length === 1;
  });
  await eventually("the other has ended, and its guest is unlinked", async () => {
    const found = await rows("SELECT id FROM t_battle WHERE id = ? AND state = 'settling'", second.battleId);
    return found.length === 1 && !world.guests.has(second.roomId);
  });
  letGo();
  for (const one of [first, second]) await inState(neighbours, one.battleId, "ended");
});

async function running(): Promise<{ a: Party; b: Party; battleId: string; start: number }> {
  const [a, b] = [world.room(), world.room()];
  const { battleId } = await call(neighbours, "battle.invite", { ...a, opponentRoomId: b.roomId, durationS: 300 });
  await call(neighbours, "battle.accept", { battleId, userId: b.userId });
  const { startTime } = await shown(neighbours, battleId);
  return { a, b, battleId, start: Date.parse(startTime as string) };
}
type Party = { roomId: number; userId: string };
const giftTo = ({ roomId, userId }: Party, time: number, coins = 10) =>
  world.giftOf({ roomId, receiverId: userId, time, coins });
const differencesOf = async (battleId: string) =>
  (await call(neighbours, "battle.verify", { battleIds: [battleId] })).differences;

test("of many battles that are shown together, a node reads the top senders of two at once", async () => {
  hold("gift.totals");
  const battles = [await joined("63"), await joined("64"), await joined("65"), await joined("66")];
  const roomIds = battles.map(({ roomId }) => roomId);
  for (const { roomId, userId, battleId } of battles) {
    const time = (await world.clock?.find(battleId, "start")) as number;
    world.records.push(giftTo({ roomId, userId }, time));
  }
  expect((await call(neighbours, "battle.ofRooms", { roomIds })).rooms).toHaveLength(4);
  expect(waiting.get("gift.totals")).toBe(2);
  letGo();
  await eventually("all have their top senders", async () => {
    const { rooms } = await call(neighbours, "battle.ofRooms", { roomIds });
    return rooms.every(({ battle }) => battle.sides[0]?.topSenders[0]?.coins === 10);
  });
  for (const one of battles) await end(one);
});

test("the scores of many battles go to a router in one call, whatever the buckets of their rooms", async () => {
  const battles = [await running(), await running(), await running()];
  const rooms = battles.flatMap(({ a, b }) => [a.roomId, b.roomId]);
  expect(new Set(rooms.map((roomId) => routerBucketOf(roomId))).size).toBeGreaterThan(1);
  scoreCalls.length = 0;
  await world.settle(...battles.map(({ a, start }) => giftTo(a, start)));
  await eventually("the scores are sent", () => scoreCalls.flat().length >= rooms.length);
  expect(scoreCalls).toEqual([rooms]);
  for (const { a, battleId } of battles) await end({ battleId, userId: a.userId });
});

test("a result whose whole time cannot be added up in one call is the sum of slices, without top senders if need be", async () => {
  const { a, b, battleId, start } = await running();
  afterTotals = (asked) => {
    if (spanOf(asked) > limits.battle.sliceMs) throw fail("unavailable", {});
  };
  const earlier = start - 400_000;
  const at = (ms: number) => earlier + ms;
  world.records.push(giftTo(a, at(-1), 1_000), giftTo(a, at(290_000), 1_000), giftTo(b, at(150_000), 6));
  for (const ms of [0, 59_999, 60_000, 60_001, 289_999]) world.records.push(giftTo(a, at(ms), 1));
  // From now on the battle is over, and its result is made of the records.
  await database.run("UPDATE t_battle SET start_time = ?, planned_end = ? WHERE id = ?", [
    new Date(earlier),
    new Date(at(290_000)),
    battleId,
  ]);
  const view = await inState(neighbours, battleId, "ended");
  expect(view.sides.map(({ score, gifts, topSenders }) => [score, gifts, topSenders])).toEqual([
    [5, 5, []],
    [6, 1, []],
  ]);
  expect(view.winner).toBe(b.userId);
  expect(await differencesOf(battleId)).toEqual([]);
});

test("a result leaves out a dead letter that is replayed while it is computed, and no gift that has its record", async () => {
  const { a, battleId, start } = await running();
  const [replayed, dead] = [giftTo(a, start, 20), giftTo(a, start, 100)];
  for (const gift of [replayed, dead]) await world.deadLetter(gift);
  await eventually("both are kept", async () => {
    return (await rows("SELECT 1 FROM t_battle_excluded WHERE battle_id = ?", battleId)).length === 2;
  });
  world.records.push(replayed);
  afterTotals = ({ without }) => {
    if (without.includes(dead.orderId) && !world.records.includes(dead)) world.records.push(dead);
  };
  await end({ battleId, userId: a.userId });
  const view = await inState(neighbours, battleId, "ended");
  expect(view).toMatchObject({ excluded: [dead.orderId], sides: [{ score: 20, gifts: 1 }, { score: 0 }] });
  expect(world.records).toContain(dead);
  expect(await differencesOf(battleId)).toEqual([]);
});

test("a dead letter without a record is excluded from a result that stands, whatever else was replayed", async () => {
  const { a, battleId, start } = await running();
  await end({ battleId, userId: a.userId });
  await inState(neighbours, battleId, "ended");
  const [early, dead] = [giftTo(a, start, 20), giftTo(a, start, 100)];
  // Its replay is seen earlier than the event of its dead letter.
  world.records.push(early);
  const excluded = async () => (await shown(neighbours, battleId)).excluded;
  await world.deadLetter(dead);
  await eventually("it is excluded", async () => (await excluded()).includes(dead.orderId));
  await world.deadLetter(early);
  await eventually("the other is excluded too", async () => (await excluded()).length === 2);
  world.records.push(dead);
  expect(await differencesOf(battleId)).toEqual([]);
});
