import type { Expected } from "../../../../bench/burst/outcomes.ts";
import { SeenGifts, viewersProblems } from "../../../../bench/burst/seen-gifts.ts";

const frame = (seq: number, gifts: { orderIds: string[]; count: number }[]) =>
  Buffer.from(JSON.stringify({ code: 1003, body: { bizCode: 5556, data: { seq, gifts } } }));

describe("what viewers saw of the burst", () => {
  let seen: SeenGifts;
  beforeEach(() => {
    seen = new SeenGifts();
    for (const roomId of [1, 1, 2]) seen.add(roomId);
  });

  it("is counted for each viewer, also where a frame's bytes are those of the viewer before", () => {
    const text = frame(1, [
      { orderIds: ["a"], count: 3 },
      { orderIds: ["b", "c"], count: 4 },
    ]);
    seen.take(0, text, 10);
    seen.take(1, text, 20);
    expect(seen.report()).toMatchObject([
      { roomId: 1, gifts: 3, pieces: 7, repeated: 0 },
      { roomId: 1, gifts: 3, pieces: 7, repeated: 0 },
      { roomId: 2, gifts: 0, pieces: 0, repeated: 0 },
    ]);
    expect(seen.orders).toBe(6);
  });

  it("an order that comes again is counted once and reported, and does not move the time of the last one", () => {
    seen.take(0, frame(1, [{ orderIds: ["a"], count: 3 }]), 10);
    seen.take(0, frame(2, [{ orderIds: ["a"], count: 3 }]), 20);
    expect(seen.report()[0]).toMatchObject({ gifts: 1, pieces: 3, repeated: 1 });
    expect(seen.lastAt).toBe(10);
  });

  it("other frames have no gifts", () => {
    seen.take(0, Buffer.from(JSON.stringify({ code: 1004, body: {} })), 10);
    seen.take(0, Buffer.from(JSON.stringify({ code: 1003, body: { bizCode: 5555, data: { content: "hi" } } })), 10);
    expect(seen.orders).toBe(0);
  });
});

describe("viewers who did not see what was sent", () => {
  const sent = (gifts: number, pieces: number, maybe = 0): Map<number, Expected> =>
    new Map([[1, { accepted: { gifts, pieces }, unknown: { gifts: maybe, pieces: maybe * 3 } }]]);
  const viewer = (gifts: number, pieces: number, repeated = 0) => [{ roomId: 1, gifts, pieces, repeated }];

  it("are none where all counts are right", () => {
    expect(viewersProblems(viewer(4, 9), sent(4, 9))).toEqual([]);
  });

  it("may have seen a gift whose answer was lost", () => {
    expect(viewersProblems(viewer(5, 11), sent(4, 9, 1))).toEqual([]);
    expect(viewersProblems(viewer(6, 12), sent(4, 9, 1))).toHaveLength(1);
  });

  it.each([
    ["a gift too few", viewer(3, 9), sent(4, 9)],
    ["a gift too many", viewer(5, 9), sent(4, 9)],
    ["a piece too few", viewer(4, 8), sent(4, 9)],
    ["a gift again", viewer(4, 9, 1), sent(4, 9)],
  ])("are reported: %s", (_what, saw, expected) => {
    expect(viewersProblems(saw, expected)).toEqual([expect.stringContaining("viewer 0 of room 1")]);
  });
});
