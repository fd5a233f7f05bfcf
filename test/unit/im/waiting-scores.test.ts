import { limits } from "../../../config/limits.ts";
import { numberedFrame } from "../../../services/im-frames.ts";
import { WaitingScores } from "../../../services/im-router/waiting-scores.ts";

const battle = (score: number, roomIds = [1, 2], battleId = "7") => ({
  battleId,
  roomIds,
  scores: [
    { userId: "11", score },
    { userId: "12", score: 0 },
  ],
  endTime: "2026-11-26T16:00:00.000Z",
  remainingMs: 60_000,
});
const waiting = () => {
  let ids = 0;
  return new WaitingScores(() => `m${++ids}`);
};
const bodies = (frames: ReturnType<WaitingScores["take"]>) =>
  frames.map((frame) => JSON.parse(numberedFrame(frame, 1, "e")).body);

test("a tick has one frame a room, however often its scores changed: the newest", () => {
  const scores = waiting();
  for (let score = 1; score <= 1_000; score++) scores.set([battle(score)], 0);
  const frames = scores.take(0);
  expect(bodies(frames).map(({ data }) => [data.roomId, data.scores[0].score])).toEqual([
    [1, 1_000],
    [2, 1_000],
  ]);
  expect(frames.every(({ replaces }) => replaces)).toBe(true);
  expect(bodies(frames)[0]).toMatchObject({ bizCode: 5558, userId: "0", data: { battleId: "7" } });
  expect(scores.take(0)).toEqual([]);
});

test("what remains is as of the frame, not of the call, and is never below 0", () => {
  const scores = waiting();
  scores.set([battle(1)], 1_000);
  expect(bodies(scores.take(1_090.4))[0].data.remainingMs).toBe(59_910);
  scores.set([battle(1)], 1_000);
  expect(bodies(scores.take(100_000))[0].data.remainingMs).toBe(0);
});

test("without the caller's remaining time the end by this node's clock decides", () => {
  const scores = waiting();
  const endTime = new Date(Date.now() + 30_000).toISOString();
  scores.set([{ ...battle(1), remainingMs: undefined, endTime }], 0);
  const [body] = bodies(scores.take(0));
  expect(body.data.remainingMs).toBeGreaterThan(29_000);
  expect(body.data.remainingMs).toBeLessThanOrEqual(30_000);
});

test("the rooms that wait are bounded, and those that wait already still get newer scores", () => {
  const scores = waiting();
  const most = limits.im.roomsWithScores;
  for (let roomId = 1; roomId <= most + 5; roomId++) scores.set([battle(1, [roomId])], 0);
  scores.set([battle(2, [1])], 0);
  const frames = scores.take(0);
  expect([frames.length, bodies(frames.slice(0, 1))[0].data.scores[0].score]).toEqual([most, 2]);
});
