import { LiveRooms } from "../../../services/im-server/live-rooms.ts";
import { eventually } from "../../support/eventually.ts";

function rooms(answers: Record<number, string | null>, liveMs = 60_000) {
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
  const { live, asked } = rooms({ 1: "7", 2: "8" });
  const crowd = await Promise.all(Array.from({ length: 100 }, (_, i) => live.anchorOf(1 + (i % 2))));
  expect(new Set(crowd)).toEqual(new Set(["7", "8"]));
  expect(asked).toEqual([1, 2]);
});

test("a room that is not live is asked for again by the next one", async () => {
  const { live, asked, answers } = rooms({ 1: null });
  expect(await live.anchorOf(1)).toBe(null);
  answers[1] = "7";
  expect(await live.anchorOf(1)).toBe("7");
  expect(asked).toEqual([1, 1]);
});

test("where nobody answers, the next one asks again", async () => {
  const { live, answers } = rooms({});
  await expect(live.anchorOf(1)).rejects.toThrow("away");
  answers[1] = "7";
  expect(await live.anchorOf(1)).toBe("7");
});

test("that a room is live is not believed for long", async () => {
  const { live, asked, answers } = rooms({ 1: "7" }, 20);
  expect(await live.anchorOf(1)).toBe("7");
  answers[1] = null;
  await eventually("another answer", async () => (await live.anchorOf(1)) === null);
  expect(asked).toEqual([1, 1]);
});
