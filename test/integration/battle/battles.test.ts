/** Battles on two nodes: who may begin and end one, what counts, and what follows. */
import type { ServiceBroker } from "moleculer";
import { limits } from "../../../config/limits.ts";
import type { Database } from "../../../mixins/mysql/database.ts";
import type { BattleView } from "../../../services/battle/battle.contract.ts";
import type { BattleParts } from "../../../services/battle/battle-service.ts";
import { call } from "../../../services/contracts.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { battleDatabase, inState, shown, startBattles, World } from "./battle-nodes.ts";

const world = new World();
let neighbours: ServiceBroker;
let nodes: [ServiceBroker, ServiceBroker];
let database: Database;

beforeAll(async () => {
  neighbours = await startNode("neighbours", world.schemas());
  nodes = [await startBattles("battle-1"), await startBattles("battle-2")];
  database = battleDatabase();
  for (const node of nodes) {
    await node.waitForServices(["gift", "im-router", "living-room", "user", "wallet"]);
    await eventually("the caller sees the nodes", () => neighbours.registry.hasService("battle", node.nodeID));
  }
});
afterAll(async () => {
  await database.close();
  await stopAll();
});

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: { type?: string }) => error.type,
  );
const on = (node: 0 | 1) => ({ nodeID: nodes[node].nodeID });
const now = () => world.clock?.read() as Promise<number>;

type Party = { roomId: number; userId: string };
const invite = (a: Party, b: Party, durationS = 300) =>
  call(neighbours, "battle.invite", { ...a, opponentRoomId: b.roomId, durationS });

async function running(durationS = 300): Promise<{ a: Party; b: Party; battleId: string; start: number }> {
  const [a, b] = [world.room(), world.room()];
  const { battleId } = await invite(a, b, durationS);
  await call(neighbours, "battle.accept", { battleId, userId: b.userId });
  const { startTime } = await shown(neighbours, battleId);
  return { a, b, battleId, start: Date.parse(startTime as string) };
}
const giftTo = ({ roomId, userId }: Party, time: number, more: { coins?: number; senderId?: string } = {}) =>
  world.giftOf({ roomId, receiverId: userId, time, ...more });
const end = (battleId: string, { userId }: Party) => call(neighbours, "battle.end", { battleId, userId });
const ended = (battleId: string) => inState(neighbours, battleId, "ended");
const scoresOf = ({ sides }: BattleView) => sides.map(({ score }) => score);
const live = (battleId: string, scores: number[]) =>
  eventually(
    `live scores ${scores}`,
    async () => String(scoresOf(await shown(neighbours, battleId))) === String(scores),
  );
/** Its planned end is `ms` from its start. */
const plannedAfter = (battleId: string, ms: number) =>
  database.run("UPDATE t_battle SET planned_end = start_time + INTERVAL ? MICROSECOND WHERE id = ?", [
    ms * 1_000,
    battleId,
  ]);
const awayLong = (battleId: string, db: Pick<Database, "run"> = database) =>
  db.run(
    "UPDATE t_battle_side SET away_since = away_since - INTERVAL 61 SECOND WHERE battle_id = ? AND away_since IS NOT NULL",
    [battleId],
  );
const away = (battleId: string, side: number, is = true) =>
  eventually(`side ${side} is ${is ? "" : "not "}away`, async () => {
    const sql = "SELECT away_since FROM t_battle_side WHERE battle_id = ? AND side = ?";
    const [row] = await database.query<{ away_since: Date | null }>(sql, [battleId, side]);
    return (row?.away_since !== null) === is;
  });
const seen = (battleId: string) =>
  eventually("both sides were seen", async () => {
    const sql = "SELECT side FROM t_battle_side WHERE battle_id = ? AND seen = 1";
    return (await database.query(sql, [battleId])).length === 2;
  });
const rested = (battleId: string) =>
  database.run("UPDATE t_battle SET closed_time = closed_time - INTERVAL 60 SECOND WHERE id = ?", [battleId]);
const verifyOf = (battleId: string) => call(neighbours, "battle.verify", { battleIds: [battleId] });
const outboxOf = (battleId: string) =>
  database.query<{ subject: string; payload: string }>(
    "SELECT subject, payload FROM t_outbox WHERE order_key = ? ORDER BY id",
    [`battle:${battleId}`],
  );

describe("an invitation", () => {
  test("that is accepted starts the battle at the time of a message in JetStream; both rooms see each state", async () => {
    const [a, b] = [world.room(), world.room()];
    const { battleId } = await invite(a, b, 60);
    expect((await shown(neighbours, battleId)).state).toBe("invited");
    const before = await now();
    await call(neighbours, "battle.accept", { battleId, userId: b.userId });
    const view = await shown(neighbours, battleId);
    const start = Date.parse(view.startTime as string);
    expect(view).toMatchObject({ battleId, kind: "rooms", state: "running", winner: null, excluded: [] });
    expect(view.sides.map(({ roomId, userId }) => ({ roomId, userId }))).toEqual([a, b]);
    expect(start).toBeGreaterThanOrEqual(before);
    expect(start).toBeLessThanOrEqual(await now());
    expect(Date.parse(view.endTime as string)).toBe(start + 60_000);
    await eventually("the rooms are shown that it runs", () =>
      world.frames.some(
        ({ battleId: of, data, rooms }) =>
          of === battleId && data?.state === "running" && rooms.join() === `${a.roomId},${b.roomId}`,
      ),
    );
    const [event] = await outboxOf(battleId);
    expect(event?.subject).toBe("event.battle.started");
    await end(battleId, a);
  });

  test("is repeated as the same battle; who is invited or in a battle is not invited again", async () => {
    const [a, b, c] = [world.room(), world.room(), world.room()];
    const { battleId } = await invite(a, b);
    expect(await invite(a, b)).toEqual({ battleId });
    expect(await failureOf(invite(a, b, 60))).toBe("alreadyLinked");
    for (const [from, to] of [
      [c, b],
      [c, a],
      [b, c],
    ] as const)
      expect(await failureOf(invite(from, to))).toBe("alreadyLinked");
    await call(neighbours, "battle.accept", { battleId, userId: b.userId });
    expect(await failureOf(invite(a, b))).toBe("alreadyLinked");
    await end(battleId, a);
    await ended(battleId);
    expect((await invite(a, b)).battleId).not.toBe(battleId);
  });

  test("that crosses another is one battle: one invitation is stored, the other call gets 10007", async () => {
    for (let round = 0; round < 5; round++) {
      const [a, b] = [world.room(), world.room()];
      const calls = [
        call(neighbours, "battle.invite", { ...a, opponentRoomId: b.roomId }, on(0)),
        call(neighbours, "battle.invite", { ...b, opponentRoomId: a.roomId }, on(1)),
      ];
      const outcomes = await Promise.allSettled(calls);
      const failures = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason.type] : []));
      expect(failures).toEqual(["alreadyLinked"]);
    }
  });

  test("that is accepted and cancelled at the same moment ends one way, and both sides see it", async () => {
    for (let round = 0; round < 5; round++) {
      const [a, b] = [world.room(), world.room()];
      const { battleId } = await invite(a, b);
      const [accepted, cancelled] = await Promise.all([
        failureOf(call(neighbours, "battle.accept", { battleId, userId: b.userId }, on(0))),
        failureOf(call(neighbours, "battle.cancel", { battleId, userId: a.userId }, on(1))),
      ]);
      const { state } = await shown(neighbours, battleId);
      expect([accepted, cancelled, state]).toEqual(
        accepted === undefined ? [undefined, "battleState", "running"] : ["battleState", undefined, "cancelled"],
      );
    }
  });

  test("every call may be repeated, and only its own side may do it", async () => {
    const [a, b, c] = [world.room(), world.room(), world.room()];
    const declined = (await invite(a, b)).battleId;
    expect(await failureOf(call(neighbours, "battle.decline", { battleId: declined, userId: a.userId }))).toBe(
      "notYourBattle",
    );
    expect(await failureOf(call(neighbours, "battle.cancel", { battleId: declined, userId: c.userId }))).toBe(
      "notYourBattle",
    );
    expect(await failureOf(call(neighbours, "battle.accept", { battleId: declined, userId: a.userId }))).toBe(
      "notYourBattle",
    );
    expect(await failureOf(call(neighbours, "battle.accept", { battleId: "999999999", userId: a.userId }))).toBe(
      "battleUnknown",
    );
    for (let twice = 0; twice < 2; twice++)
      expect(await call(neighbours, "battle.decline", { battleId: declined, userId: b.userId })).toEqual({
        battleId: declined,
      });
    expect(await failureOf(call(neighbours, "battle.accept", { battleId: declined, userId: b.userId }))).toBe(
      "battleState",
    );
    await rested(declined);
    const cancelled = (await invite(a, b)).battleId;
    for (let twice = 0; twice < 2; twice++)
      await call(neighbours, "battle.cancel", { battleId: cancelled, userId: a.userId });
    await rested(cancelled);
    const { battleId } = await invite(a, b);
    expect(await failureOf(end(battleId, a))).toBe("battleState");
    for (let twice = 0; twice < 2; twice++) await call(neighbours, "battle.accept", { battleId, userId: b.userId });
    const { startTime } = await shown(neighbours, battleId);
    for (let twice = 0; twice < 2; twice++) await end(battleId, b);
    expect((await ended(battleId)).startTime).toBe(startTime);
    await end(battleId, a);
    expect((await outboxOf(battleId)).map(({ subject }) => subject)).toEqual([
      "event.battle.started",
      "event.battle.ended",
    ]);
  });

  test("expires after 30 s of the database's clock, even where nobody has marked it yet", async () => {
    const [a, b] = [world.room(), world.room()];
    const { battleId } = await invite(a, b);
    await database.run("UPDATE t_battle SET invited_time = invited_time - INTERVAL 30 SECOND WHERE id = ?", [battleId]);
    expect(await failureOf(call(neighbours, "battle.accept", { battleId, userId: b.userId }))).toBe("battleState");
    expect((await invite(b, a)).battleId).not.toBe(battleId);
    await inState(neighbours, battleId, "expired");
  });

  test("needs live rooms, their anchors, and usable accounts; a closed room cancels it", async () => {
    const [a, b] = [world.room(), world.room()];
    expect(await failureOf(invite({ ...a, userId: b.userId }, b))).toBe("notYourBattle");
    expect(await failureOf(invite(a, a))).toBe("battleWithSelf");
    expect(await failureOf(invite(a, { ...b, roomId: 999_999 }))).toBe("roomNotLive");
    world.unusable.add(b.userId);
    expect(await failureOf(invite(a, b))).toBe("accountUnusable");
    world.unusable.delete(b.userId);
    const { battleId } = await invite(a, b);
    await world.publish("room.closed", { roomId: b.roomId, anchorId: b.userId, time: new Date().toISOString() });
    await inState(neighbours, battleId, "cancelled");
  });

  test("that was accepted before its node died starts on another node", async () => {
    const [a, b] = [world.room(), world.room()];
    const { battleId } = await invite(a, b);
    await database.run("UPDATE t_battle SET starting_time = UTC_TIMESTAMP(3) WHERE id = ?", [battleId]);
    await inState(neighbours, battleId, "running");
  });
});

describe("the result", () => {
  test("counts exactly the gifts from the start until before the end, also those that settle after it", async () => {
    const { a, b, battleId, start } = await running();
    const bell = start + 1_500;
    world.settled = false;
    await world.settle(giftTo(a, start - 1, { coins: 1_000 }), giftTo(a, start), giftTo(b, bell - 1, { coins: 7 }));
    await plannedAfter(battleId, 1_500);
    await inState(neighbours, battleId, "settling");
    await world.settle(giftTo(a, bell - 1, { coins: 5 }), giftTo(a, bell, { coins: 1_000 }));
    await eventually("rounds pass", async () =>
      world.frames.some((one) => one.battleId === battleId && one.data?.state === "settling"),
    );
    expect((await shown(neighbours, battleId)).state).toBe("settling");
    world.settled = true;
    await ended(battleId);
    // An answer goes out without names that are not known in time.
    const view = await eventually("the result has its names", async () => {
      const found = await shown(neighbours, battleId);
      return found.sides[0]?.topSenders.every(({ nickName }) => nickName !== "") ? found : undefined;
    });
    expect(scoresOf(view)).toEqual([15, 7]);
    expect(view.sides.map(({ gifts }) => gifts)).toEqual([2, 1]);
    expect(view).toMatchObject({ winner: a.userId, endTime: new Date(bell).toISOString(), excluded: [] });
    expect(view.sides[0]?.topSenders).toEqual([{ userId: "11", nickName: "n11", avatar: "a", coins: 15 }]);
    expect(await verifyOf(battleId)).toEqual({ verified: 1, differences: [] });
    const event = (await outboxOf(battleId)).at(-1);
    expect(JSON.parse(event?.payload as string)).toMatchObject({
      data: { battleId, winner: a.userId, sides: [{ score: 15, gifts: 2 }, { score: 7 }] },
    });
  });

  test("of a battle that a side ends early is by the score, and equal scores are a draw", async () => {
    const first = await running();
    await world.settle(giftTo(first.a, first.start, { coins: 9 }));
    await end(first.battleId, first.a);
    expect((await ended(first.battleId)).winner).toBe(first.a.userId);
    const second = await running();
    await end(second.battleId, second.b);
    expect(await ended(second.battleId)).toMatchObject({ winner: null, state: "ended" });
  });

  test("lists dead letters and leaves them out for ever; one that was replayed before it counts", async () => {
    const { a, battleId, start } = await running();
    const [dead, replayed, after] = [
      giftTo(a, start, { coins: 100 }),
      giftTo(a, start, { coins: 20 }),
      giftTo(a, start - 1),
    ];
    for (const gift of [dead, replayed, after]) await world.deadLetter(gift);
    await eventually(
      "both are kept",
      async () =>
        (await database.query("SELECT 1 FROM t_battle_excluded WHERE battle_id = ?", [battleId])).length === 2,
    );
    await world.settle(replayed);
    await end(battleId, a);
    const view = await ended(battleId);
    expect(view).toMatchObject({ excluded: [dead.orderId], winner: a.userId });
    expect(scoresOf(view)).toEqual([20, 0]);
    await world.settle(dead);
    expect(await verifyOf(battleId)).toEqual({ verified: 1, differences: [] });
    expect(scoresOf(await shown(neighbours, battleId))).toEqual([20, 0]);
  });

  test("stays where the event of a dead letter comes after it: the gift is excluded then, or was counted", async () => {
    const { a, battleId, start } = await running();
    const [late, counted] = [giftTo(a, start, { coins: 100 }), giftTo(a, start, { coins: 20 })];
    await world.settle(counted);
    await end(battleId, a);
    await ended(battleId);
    await world.settle(late);
    expect((await verifyOf(battleId)).differences.map(({ what, stored, records }) => [what, stored, records])).toEqual([
      [`score of ${a.userId}`, "20", "120"],
      [`gifts of ${a.userId}`, "1", "2"],
    ]);
    for (const gift of [counted, late]) await world.deadLetter(gift);
    await eventually("it is excluded", async () => (await shown(neighbours, battleId)).excluded.length > 0);
    expect((await shown(neighbours, battleId)).excluded).toEqual([late.orderId]);
    expect(await verifyOf(battleId)).toEqual({ verified: 1, differences: [] });
  });
});

describe("live scores", () => {
  test("count each gift once, however often its event comes, and are sent to the rooms", async () => {
    const { a, b, battleId, start } = await running();
    const gifts = Array.from({ length: 50 }, (_, n) => giftTo(n % 5 === 0 ? b : a, start + n, { coins: 3 }));
    const { recordId: _none, ...old } = giftTo(a, start);
    const stranger = giftTo({ ...a, userId: "12" }, start);
    await Promise.all([
      world.settle(...gifts),
      world.settle(...gifts.slice(10, 40)),
      world.settle(...gifts.slice(20), stranger),
    ]);
    await world.settle(...gifts);
    await world.publish("gift.settled", { gifts: [old] });
    await world.settle(giftTo(a, start, { coins: 1 }));
    await live(battleId, [121, 30]);
    await eventually("the rooms get the scores", () =>
      [a, b].every(({ roomId }) =>
        world.frames.some(
          ({ kind, battleId: of, rooms, scores }) =>
            kind === "scores" &&
            of === battleId &&
            rooms.includes(roomId) &&
            scores?.[0]?.score === 121 &&
            scores[1]?.score === 30,
        ),
      ),
    );
    await end(battleId, a);
    await ended(battleId);
  });

  test("of many events that are counted together are exact: several transactions of a node, while another one counts some of the same gifts", async () => {
    const { a, b, battleId, start } = await running();
    const { giftsPerTransaction } = limits.battle;
    const gifts = Array.from({ length: 2 * giftsPerTransaction + 10 }, (_, n) =>
      giftTo(n % 3 === 0 ? b : a, start + n),
    );
    const events = Array.from({ length: 10 }, (_, n) => gifts.filter((_gift, at) => at % 10 === n));
    const count = (node: 0 | 1, some: typeof events) =>
      (nodes[node].getLocalService("battle") as unknown as BattleParts).live.count(some);
    await Promise.all([count(0, events.slice(0, 7)), count(1, events.slice(4))]);
    await count(1, events);
    const ofB = Math.ceil(gifts.length / 3);
    await live(battleId, [(gifts.length - ofB) * 10, ofB * 10]);
    await end(battleId, a);
    await ended(battleId);
  });

  test("count the gifts of a battle whose start no node has written yet", async () => {
    const [a, b] = [world.room(), world.room()];
    const { battleId } = await invite(a, b);
    await world.settle(giftTo(a, await now()));
    // As a node leaves it that dies after the start message was stored.
    await call(neighbours, "battle.accept", { battleId, userId: b.userId });
    await database.run(
      "UPDATE t_battle SET state = 'invited', start_time = NULL, planned_end = NULL, starting_time = NULL WHERE id = ?",
      [battleId],
    );
    await database.run(
      "UPDATE t_battle SET starting_time = UTC_TIMESTAMP(3) + INTERVAL 1 HOUR, work = 1 WHERE id = ?",
      [battleId],
    );
    await database.run("UPDATE t_battle_revision SET revision = revision + 1");
    await world.settle(giftTo(a, await now(), { coins: 4 }));
    await inState(neighbours, battleId, "running");
    await live(battleId, [4, 0]);
  });

  test("a battle of one side's room is found for who enters, until its result", async () => {
    const { a, b, battleId } = await running();
    const { rooms } = await call(neighbours, "battle.ofRooms", { roomIds: [a.roomId, b.roomId, 1] });
    expect(rooms.map(({ roomId, battle }) => [roomId, battle.battleId, battle.state])).toEqual(
      [a, b].map(({ roomId }) => [roomId, battleId, "running"]),
    );
    await end(battleId, a);
    await ended(battleId);
    expect(await call(neighbours, "battle.ofRooms", { roomIds: [a.roomId] })).toEqual({ rooms: [] });
    const { list } = await call(neighbours, "battle.history", { userId: a.userId, limit: 20 });
    expect(list.map((view) => [view.battleId, view.state])).toEqual([[battleId, "ended"]]);
  });
});

describe("a side that is away", () => {
  test("has 60 s to come back; then the battle ends and the other side wins, whatever the scores", async () => {
    const { a, b, battleId, start } = await running();
    await world.settle(giftTo(a, start, { coins: 500 }));
    await seen(battleId);
    world.presence.delete(a.userId);
    await away(battleId, 0);
    world.presence.set(a.userId, a.roomId);
    await away(battleId, 0, false);
    world.presence.delete(a.userId);
    await away(battleId, 0);
    expect((await shown(neighbours, battleId)).state).toBe("running");
    await awayLong(battleId);
    expect((await ended(battleId)).winner).toBe(b.userId);
  });

  test("does not count as away while presence is unknown, nor by what was counted before", async () => {
    const { a, battleId } = await running();
    await seen(battleId);
    world.presence.delete(a.userId);
    await away(battleId, 0);
    world.presenceKnown = false;
    await away(battleId, 0, false);
    world.presenceEpoch = "2";
    world.presenceKnown = true;
    await away(battleId, 0);
    // The nodes count anew once they see the new epoch: not before the long absence is written.
    await database.transaction(async (tx) => {
      await tx.query("SELECT side FROM t_battle_side WHERE battle_id = ? FOR UPDATE", [battleId]);
      world.presenceEpoch = "3";
      await awayLong(battleId, tx);
    });
    await eventually("side 0 is away from now on", async () => {
      const sql = `SELECT side FROM t_battle_side WHERE battle_id = ? AND side = 0
        AND away_since > UTC_TIMESTAMP(3) - INTERVAL 30 SECOND`;
      return (await database.query(sql, [battleId])).length === 1;
    });
    expect((await shown(neighbours, battleId)).state).toBe("running");
    await end(battleId, a);
  });

  test("an anchor who was never connected is not away", async () => {
    const [a, b] = [world.room(), world.room()];
    for (const { userId } of [a, b]) world.presence.delete(userId);
    const { battleId } = await invite(a, b);
    await call(neighbours, "battle.accept", { battleId, userId: b.userId });
    const other = await running();
    await seen(other.battleId);
    await awayLong(battleId);
    expect((await shown(neighbours, battleId)).state).toBe("running");
    for (const [id, one] of [
      [battleId, a],
      [other.battleId, other.a],
    ] as const)
      await end(id, one);
  });

  test("who closes her room, or whose account is frozen, cannot come back", async () => {
    const [closed, frozen] = [await running(), await running()];
    world.rooms.delete(closed.a.roomId);
    await world.publish("room.closed", {
      roomId: closed.a.roomId,
      anchorId: closed.a.userId,
      time: new Date().toISOString(),
    });
    world.unusable.add(frozen.b.userId);
    await world.publish("account.frozen", {
      userId: frozen.b.userId,
      operator: "o",
      reason: "r",
      time: new Date().toISOString(),
    } as never);
    for (const [{ battleId }, side] of [
      [closed, 0],
      [frozen, 1],
    ] as const) {
      await away(battleId, side);
      await awayLong(battleId);
    }
    expect((await ended(closed.battleId)).winner).toBe(closed.b.userId);
    expect((await ended(frozen.battleId)).winner).toBe(frozen.a.userId);
  });
});

describe("a side that is gone", () => {
  const close = ({ roomId, userId }: Party) => {
    world.rooms.delete(roomId);
    return world.publish("room.closed", { roomId, anchorId: userId, time: new Date().toISOString() });
  };

  test("loses although nobody is certain about the other, who is away too", async () => {
    const { a, b, battleId } = await running();
    await seen(battleId);
    world.certainty = false;
    for (const { userId } of [a, b]) world.presence.delete(userId);
    await close(a);
    for (const side of [0, 1]) await away(battleId, side);
    await awayLong(battleId);
    expect((await ended(battleId)).winner).toBe(b.userId);
    world.certainty = true;
  });

  test("is the anchor who closes her room, not the guest, who cannot be in it then", async () => {
    const pk = world.room(2);
    world.presence.set("61", pk.roomId);
    const { battleId } = await call(neighbours, "battle.join", { roomId: pk.roomId, userId: "61" });
    await seen(battleId);
    for (const userId of [pk.userId, "61"]) world.presence.delete(userId);
    await close(pk);
    for (const side of [0, 1]) await away(battleId, side);
    await awayLong(battleId);
    expect((await ended(battleId)).winner).toBe("61");
  });

  test.each([
    ["and she was away for 60 s at its time loses", 80, (b: Party) => b.userId],
    ["and she was away for less does not lose", 62, () => null],
  ])("where a battle is ended 5 s late %s", async (_what, awayS, winner) => {
    const { b, battleId } = await running();
    const bell = (await now()) - 5_000;
    await database.run(
      `UPDATE t_battle JOIN t_battle_side ON battle_id = id AND side = 0
       SET start_time = ?, planned_end = ?, gone = 1, away_since = UTC_TIMESTAMP(3) - INTERVAL ? SECOND WHERE id = ?`,
      [new Date(bell - 60_000), new Date(bell), awayS, battleId],
    );
    expect((await ended(battleId)).winner).toBe(winner(b));
  });

  test("does not lose by the time that the end waits for the lock on the battle", async () => {
    const { battleId } = await running();
    const bell = (await now()) + 500;
    await database.run(
      `UPDATE t_battle JOIN t_battle_side ON battle_id = id AND side = 0
       SET start_time = ?, planned_end = ?, gone = 1, away_since = UTC_TIMESTAMP(3) - INTERVAL 58 SECOND WHERE id = ?`,
      [new Date(bell - 60_000), new Date(bell), battleId],
    );
    await database.transaction(async (tx) => {
      await tx.query("SELECT id FROM t_battle WHERE id = ? FOR UPDATE", [battleId]);
      await eventually("well after its end", async () => (await now()) > bell + 2_500);
    });
    expect((await ended(battleId)).winner).toBeNull();
  });

  test("is not one whose account was frozen and is usable again when the event comes", async () => {
    const [a, b, c, d] = [world.room(), world.room(), world.room(), world.room()];
    const [kept, cancelled] = [await invite(a, b), await invite(c, d)];
    world.unusable.add(d.userId);
    for (const { userId } of [b, d])
      await world.publish("account.frozen", {
        ...{ userId, operator: "o", reason: "r", time: new Date().toISOString() },
      } as never);
    await inState(neighbours, cancelled.battleId, "cancelled");
    expect((await shown(neighbours, kept.battleId)).state).toBe("invited");
  });
});

test("a battle that was accepted and could not start leaves nothing: no counted gifts, no dead letters", async () => {
  const [a, b] = [world.room(), world.room()];
  const [{ battleId }, other] = [await invite(a, b), await running()];
  for (const table of ["t_battle_gift (battle_id, record_id) VALUES (?, 1)", "t_battle_score VALUES (?, 0, 1, 1)"])
    await database.run(`INSERT INTO ${table}`, [battleId]);
  await database.run("UPDATE t_battle SET starting_time = UTC_TIMESTAMP(3) - INTERVAL 30 SECOND WHERE id = ?", [
    battleId,
  ]);
  await inState(neighbours, battleId, "expired");
  for (const gift of [giftTo(a, await now()), giftTo(other.a, other.start)]) await world.deadLetter(gift);
  const rowsOf = async (table: string, id: string) =>
    (await database.query(`SELECT 1 FROM ${table} WHERE battle_id = ?`, [id])).length;
  await eventually("the other's is kept", async () => (await rowsOf("t_battle_excluded", other.battleId)) === 1);
  expect(await rowsOf("t_battle_excluded", battleId)).toBe(0);
  for (const table of ["t_battle_gift", "t_battle_score"])
    await eventually(`nothing in ${table}`, async () => (await rowsOf(table, battleId)) === 0);
  await end(other.battleId, other.a);
});

describe("a guest", () => {
  const join = (roomId: number, userId: string) => {
    world.presence.set(userId, roomId);
    return call(neighbours, "battle.join", { roomId, userId });
  };

  test("joins the anchor of a room of type 2, is linked while it runs, and leaves", async () => {
    const [pk, normal] = [world.room(2), world.room(1)];
    expect(await failureOf(join(normal.roomId, "21"))).toBe("roomNotPk");
    expect(await failureOf(join(pk.roomId, pk.userId))).toBe("battleWithSelf");
    const { battleId } = await join(pk.roomId, "21");
    expect(await join(pk.roomId, "21")).toEqual({ battleId });
    expect(await failureOf(join(pk.roomId, "22"))).toBe("alreadyLinked");
    expect(world.guests.get(pk.roomId)).toEqual({ guestId: "21", battleId });
    const view = await shown(neighbours, battleId);
    expect(view).toMatchObject({ kind: "guest", state: "running", sides: [pk, { roomId: pk.roomId, userId: "21" }] });
    await world.settle(giftTo({ ...pk, userId: "21" }, Date.parse(view.startTime as string), { coins: 8 }));
    await live(battleId, [0, 8]);
    expect(await failureOf(call(neighbours, "battle.leave", { roomId: pk.roomId, userId: "22" }))).toBe(
      "notYourBattle",
    );
    expect(await call(neighbours, "battle.leave", { roomId: pk.roomId, userId: "21" })).toEqual({ battleId });
    expect((await ended(battleId)).winner).toBe("21");
    await eventually("she is unlinked", () => !world.guests.has(pk.roomId));
    expect(await call(neighbours, "battle.leave", { roomId: pk.roomId, userId: pk.userId })).toEqual({ battleId });
  });

  test("who drops, or never comes, loses", async () => {
    const pk = world.room(2);
    const { battleId } = await join(pk.roomId, "31");
    world.presence.delete("31");
    await away(battleId, 1);
    await awayLong(battleId);
    expect((await ended(battleId)).winner).toBe(pk.userId);
    await eventually("she is unlinked", () => !world.guests.has(pk.roomId));
  });

  test("who cannot be linked starts no battle, and the sides are free", async () => {
    const pk = world.room(2);
    world.guests.set(pk.roomId, { guestId: "1", battleId: "1" });
    expect(await failureOf(join(pk.roomId, "41"))).toBe("alreadyLinked");
    world.guests.delete(pk.roomId);
    expect(await failureOf(join(pk.roomId, "42"))).toBeUndefined();
  });
});

test("a state that could not be sent to the rooms is sent later", async () => {
  world.routerAway = true;
  const [a, b] = [world.room(), world.room()];
  const { battleId } = await invite(a, b);
  await call(neighbours, "battle.accept", { battleId, userId: b.userId });
  world.routerAway = false;
  await eventually("it is sent", () =>
    world.frames.some((one) => one.battleId === battleId && one.data?.state === "running"),
  );
});
