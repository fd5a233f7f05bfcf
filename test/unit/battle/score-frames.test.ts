import { limits } from "../../../config/limits.ts";
import { ScoreFrames } from "../../../services/battle/score-frames.ts";
import { routerBucketOf } from "../../../services/im-buckets.ts";
import type { BattleScores } from "../../../services/im-router/im-router.contract.ts";

const { roomTickMs } = limits.im;
const { scoreLeadMs, roundMs } = limits.battle;

interface Call {
  at: number;
  bucket: number;
  battles: BattleScores[];
}

/** Battle n is of the rooms 2n and 2n + 1; a score is what the database has at the time of a call. */
function nodes(ids: string[] = ["router-1"]) {
  const calls: Call[] = [];
  const state = { score: 0, tickEndsInMs: 0 as number | null, fails: false, reads: 0, answerAfterMs: 0 };
  const mysql = {
    async query(_sql: string, [battleIds]: [string[]]) {
      state.reads++;
      if (state.fails) throw new Error("the database is away");
      return battleIds.map((id) => ({ battle_id: id, side: 0, score: String(state.score), gifts: "1" }));
    },
  };
  const broker = {
    registry: { getServiceList: () => ids.map((nodeID) => ({ name: "im-router", nodeID })), getNodeList: () => [] },
    localBus: { on() {} },
    async call(action: string, params: Omit<Call, "at">) {
      expect(action).toBe("im-router.battleScores");
      calls.push({ at: performance.now(), ...params });
      if (state.answerAfterMs > 0) await new Promise((resolve) => setTimeout(resolve, state.answerAfterMs));
      if (state.tickEndsInMs === null) throw new Error("no router");
      return { tickEndsInMs: state.tickEndsInMs };
    },
  };
  const logger = { debug() {}, warn() {} };
  const clock = { now: () => 1_000 };
  const battleOf = (battleId: string) => ({
    ...{ battleId, durationMs: 1_000, start: 0, end: 5_000 },
    sides: [0, 1].map((side) => ({ roomId: 2 * Number(battleId) + side, userId: `${battleId}${side}` })),
  });
  const frames = new ScoreFrames({ mysql, broker, clock, logger } as never, battleOf);
  return { frames, calls, state };
}
const scoresOf = ({ battles }: Call) => battles.map(({ battleId, scores }) => [battleId, scores[0]?.score]);

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});
const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

test("the first scores go at once; the next ones shortly before the end of the tick that follows the one in the answer, as they are then", async () => {
  const { frames, calls, state } = nodes();
  Object.assign(state, { score: 1, tickEndsInMs: 40 });
  frames.changed(["7"]);
  await pass(0);
  expect(calls.map(scoresOf)).toEqual([[["7", 1]]]);
  const waitMs = 40 + roomTickMs - scoreLeadMs;
  for (const score of [2, 3, 4]) {
    state.score = score;
    frames.changed(["7", "8"]);
    await pass(10);
  }
  await pass(waitMs - 31);
  expect(calls).toHaveLength(1);
  await pass(1);
  expect(calls.map(scoresOf)[1]).toEqual([
    ["7", 4],
    ["8", 4],
  ]);
  // Nothing changes: nothing is sent, and after the pause the next score goes at once.
  await pass(10 * roomTickMs);
  expect(calls).toHaveLength(2);
  frames.changed(["7"]);
  await pass(0);
  expect(calls).toHaveLength(3);
});

test("scores that change while a call is under way are in the next one", async () => {
  const { frames, calls, state } = nodes();
  Object.assign(state, { score: 1, answerAfterMs: 30 });
  frames.changed(["7"]);
  await pass(10);
  state.score = 2;
  frames.changed(["7"]);
  await pass(19 + roomTickMs - scoreLeadMs);
  expect(calls).toHaveLength(1);
  await pass(1);
  expect(calls.map(scoresOf)).toEqual([[["7", 1]], [["7", 2]]]);
});

test("each router gets the rooms of its buckets, and a slow one delays no other", async () => {
  const { frames, calls, state } = nodes(["router-1", "router-2", "router-3"]);
  state.answerAfterMs = 50;
  const ids = Array.from({ length: 40 }, (_, n) => String(n + 1));
  frames.changed(ids);
  await pass(0);
  expect(calls).toHaveLength(3);
  const rooms = calls.map(({ battles }) => battles.flatMap(({ roomIds }) => roomIds));
  expect(rooms.flat().sort((a, b) => a - b)).toEqual(ids.flatMap((id) => [2 * Number(id), 2 * Number(id) + 1]));
  for (const [at, { bucket }] of calls.entries())
    expect(rooms[at]?.map((room) => routerBucketOf(room))).toContain(bucket);
});

test("a call that fails is not repeated; scores that cannot be read are sent once they can", async () => {
  const { frames, calls, state } = nodes();
  state.tickEndsInMs = null;
  frames.changed(["7"]);
  await pass(10 * roomTickMs);
  expect(calls).toHaveLength(1);
  Object.assign(state, { tickEndsInMs: 0, fails: true });
  frames.changed(["7"]);
  await pass(roundMs - 1);
  expect([calls.length, state.reads]).toEqual([1, 2]);
  state.fails = false;
  await pass(1);
  expect(calls).toHaveLength(2);
});

test("after the stop nothing is sent", async () => {
  const { frames, calls, state } = nodes();
  state.answerAfterMs = 20;
  frames.changed(["7"]);
  await pass(0);
  frames.changed(["7"]);
  const stopped = frames.stop();
  await pass(1_000);
  await stopped;
  frames.changed(["7"]);
  await pass(1_000);
  expect(calls).toHaveLength(1);
});
