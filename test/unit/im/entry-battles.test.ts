import { limits } from "../../../config/limits.ts";
import type { BattleView } from "../../../services/battle/battle.contract.ts";
import { type AskBattles, EntryBattles } from "../../../services/im-server/entry-battles.ts";

const { battleStateMs, battleAskEveryMs, battleAwayMs, battleAwayLoggedMs, battleStateAgedMs } = limits.im;
const start = Date.parse("2026-11-26T16:00:00.000Z");

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const battle = (state = "running"): BattleView =>
  ({ battleId: "7", state, sides: [], serverTime: new Date(start).toISOString() }) as never;

/** `answers` what the service answers, one after the other; the last one for ever. */
function entries(...answers: (((roomIds: number[]) => ReturnType<AskBattles>) | Error)[]) {
  const asked: number[][] = [];
  const log = { warn: jest.fn() };
  const ask = jest.fn(async (roomIds: number[]) => {
    asked.push(roomIds);
    const answer = (answers.length > 1 ? answers.shift() : answers[0]) as (typeof answers)[number];
    if (answer instanceof Error) throw answer;
    return answer(roomIds);
  });
  let ids = 0;
  const battles = new EntryBattles({ ask, newMsgId: () => `m${++ids}`, log: log as never });
  const member = (roomId = 1) => {
    const sent: { msgId: string; bizCode: number; data: BattleView & { roomId: number } }[] = [];
    const sendWire = (wire: Buffer) => {
      const text = wire.toString("utf8");
      sent.push(JSON.parse(text.slice(text.indexOf("{"))).body);
    };
    return { roomId, anchorId: "1", form: "1" as const, sendWire, sent };
  };
  const enter = (roomId = 1) => {
    const one = member(roomId);
    battles.enter(one);
    return one.sent;
  };
  return { battles, enter, asked, log };
}

const inAll = (state?: string) => async (roomIds: number[]) => ({
  rooms: roomIds.map((roomId) => ({ roomId, battle: battle(state) })),
});
const inNone = async () => ({ rooms: [] });
const after = (ms: number) => jest.advanceTimersByTimeAsync(ms);

test("who enters a room with a battle is sent its state at once", async () => {
  const { enter } = entries(inAll());
  const sent = enter(5);
  await after(0);
  expect(sent).toEqual([{ msgId: "m1", appId: 10001, userId: "0", bizCode: 5559, data: { roomId: 5, ...battle() } }]);
});

test.each([
  ["with", inAll()],
  ["without", inNone],
])("5,000 entries a second into one room %s a battle are one call", async (_what, answer) => {
  const { enter, asked } = entries(answer);
  const all: unknown[][] = [];
  for (let i = 0; i < 5_000; i++) {
    all.push(enter());
    if (i % 50 === 0) await after(9);
  }
  expect(asked).toEqual([[1]]);
  expect(all.every((sent) => sent.length === (answer === inNone ? 0 : 1))).toBe(true);
  await after(battleStateMs);
  enter();
  await after(battleAskEveryMs);
  expect(asked).toHaveLength(2);
});

test("many rooms share a call, and calls are apart", async () => {
  const { enter, asked } = entries(inAll());
  const first = enter(1);
  await after(0);
  const others = [2, 3, 4].map((roomId) => enter(roomId));
  await after(battleAskEveryMs - 1);
  expect([first.length, others.map((sent) => sent.length)]).toEqual([1, [0, 0, 0]]);
  await after(1);
  expect([asked, others.map((sent) => sent[0]?.data.roomId)]).toEqual([
    [[1], [2, 3, 4]],
    [2, 3, 4],
  ]);
});

test("a call asks for no more rooms than the service takes; the others are in the next one", async () => {
  const { enter, asked } = entries(inAll());
  const { roomsPerCall } = limits.battle;
  for (let roomId = 1; roomId <= roomsPerCall + 1; roomId++) enter(roomId);
  await after(battleAskEveryMs);
  expect(asked.map(({ length }) => length)).toEqual([roomsPerCall, 1]);
});

test("after a 5559 to the room nobody is sent what was asked before it", async () => {
  const answers = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const states = ["running", "settling"];
  const { battles, enter, asked } = entries(async (roomIds) => {
    const at = asked.length - 1;
    await answers[at]?.promise;
    return inAll(states[at])(roomIds);
  });
  const waiting = enter();
  await after(0);
  battles.changed(1);
  answers[0]?.resolve();
  await after(battleAskEveryMs);
  expect(waiting).toEqual([]);
  answers[1]?.resolve();
  await after(0);
  expect(waiting.map(({ data }) => data.state)).toEqual(["settling"]);
  battles.changed(1);
  enter();
  await after(battleAskEveryMs);
  expect(asked).toHaveLength(3);
});

test("a room that had no members here for a while is asked for again", async () => {
  const { battles, enter, asked } = entries(inAll());
  enter();
  await after(0);
  battles.forget(1);
  enter();
  await after(battleAskEveryMs);
  expect(asked).toEqual([[1], [1]]);
});

test("without the battle service nothing is sent, it is asked once a while, and that is logged once", async () => {
  const { enter, asked, log } = entries(new Error("no such service"));
  const all: unknown[][] = [];
  for (let ms = 0; ms < battleAwayLoggedMs; ms += 10) {
    all.push(enter(1 + (ms % 3)));
    await after(10);
  }
  expect(all.flat()).toEqual([]);
  expect(log.warn).toHaveBeenCalledTimes(1);
  expect(asked.length).toBeLessThanOrEqual(battleAwayLoggedMs / battleAwayMs);
});

test("once the battle service is back, who enters then is sent the state", async () => {
  const { enter } = entries(new Error("away"), inAll());
  const missed = enter();
  await after(battleAwayMs);
  const sent = enter();
  await after(battleAskEveryMs);
  expect([missed.length, sent.length]).toEqual([0, 1]);
});

test("those who wait are bounded", async () => {
  const answer = Promise.withResolvers<void>();
  const { enter } = entries(async (roomIds) => {
    await answer.promise;
    return inAll()(roomIds);
  });
  const all = Array.from({ length: limits.im.battleEntrantsWaiting + 1 }, () => enter());
  await after(0);
  answer.resolve();
  await after(0);
  expect(all.filter((sent) => sent.length === 1)).toHaveLength(limits.im.battleEntrantsWaiting);
  expect(enter()).toHaveLength(1);
});

test("the time in a state that is sent later is as of then", async () => {
  const { enter } = entries(inAll());
  enter();
  await after(0);
  await after(battleStateAgedMs + 1);
  expect(enter()[0]?.data.serverTime).toBe(new Date(start + battleStateAgedMs + 1).toISOString());
});

test("after a stop nothing is asked", async () => {
  const { battles, enter, asked } = entries(inAll());
  enter();
  battles.stop();
  enter(2);
  await after(60_000);
  expect(asked).toEqual([]);
});
