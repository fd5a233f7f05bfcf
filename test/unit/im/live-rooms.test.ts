import { LiveRooms } from "../../../services/im-server/live-rooms.ts";
import { eventually } from "../../support/eventually.ts";

function rooms(answers: Record<number, boolean>, liveMs = 60_000) {
  const asked: number[] = [];
  const live = new LiveRooms(async (roomId) => {
    asked.push(roomId);
    const answer = answers[roomId];
    if (answer === undefined) throw new Error("away");
    return answer;
  }, liveMs);
  return { live, asked, answers };
}

test("a crowd that comes to one room at once is one question", async () => {
  const { live, asked } = rooms({ 1: true, 2: true });
  const crowd = await Promise.all(Array.from({ length: 100 }, (_, i) => live.isLive(1 + (i % 2))));
  expect(new Set(crowd)).toEqual(new Set([true]));
  expect(asked).toEqual([1, 2]);
});

test("a room that is not live is asked for again by the next one", async () => {
  const { live, asked, answers } = rooms({ 1: false });
  expect(await live.isLive(1)).toBe(false);
  answers[1] = true;
  expect(await live.isLive(1)).toBe(true);
  expect(asked).toEqual([1, 1]);
});

test("where nobody answers, the next one asks again", async () => {
  const { live, answers } = rooms({});
  await expect(live.isLive(1)).rejects.toThrow("away");
  answers[1] = true;
  expect(await live.isLive(1)).toBe(true);
});

test("that a room is live is not believed for long", async () => {
  const { live, asked, answers } = rooms({ 1: true }, 20);
  expect(await live.isLive(1)).toBe(true);
  answers[1] = false;
  await eventually("another answer", async () => !(await live.isLive(1)));
  expect(asked).toEqual([1, 1]);
});
