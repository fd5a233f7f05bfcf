import { deflateRawSync } from "node:zlib";
import type { Expected } from "../../../../bench/burst/outcomes.ts";
import { SeenGifts, viewersProblems } from "../../../../bench/burst/seen-gifts.ts";

const message = (frame: object) => ({ bytes: Buffer.from(JSON.stringify(frame)), isBinary: false });
const giftMessage = (seq: number, gifts: unknown[]) =>
  message({ code: 1003, body: { bizCode: 5556, data: { seq, gifts } } });
const frame = (seq: number, gifts: { orderIds: string[]; count: number }[]) =>
  giftMessage(
    seq,
    gifts.map((gift) => ({ senderId: "9", ...gift })),
  );
const orderId = (tag: string) => `f7a151d0-0c52-4d3f-9b0c-${tag}`;

describe("what viewers saw of the burst", () => {
  let seen: SeenGifts;
  beforeEach(() => {
    seen = new SeenGifts();
    for (const roomId of [1, 1, 2]) seen.add(roomId, 1);
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

  it("is the same in version 2, compressed or not: by sender and tag, with the pieces of each order", () => {
    const viewer = seen.add(1, 2);
    const [a, b] = ["aaaaaaaaaaaa", "bbbbbbbbbbbb"];
    const sent = giftMessage(1, [
      ["9", 22, 3, a, 2, b],
      ["8", 22, 1, a, { to: "7" }],
    ]);
    seen.take(viewer, { bytes: deflateRawSync(sent.bytes), isBinary: true }, 10);
    seen.take(viewer, giftMessage(2, [["9", 22, 2, b, 1, "cccccccccccc"]]), 20);
    seen.take(
      0,
      frame(
        1,
        [a, b].map((tag, i) => ({ orderIds: [orderId(tag)], count: 3 - i })),
      ),
      20,
    );
    expect(seen.report()).toMatchObject([{ gifts: 2, pieces: 5 }, {}, {}, { gifts: 4, pieces: 7, repeated: 1 }]);
    seen.take(viewer, giftMessage(3, [["9", 22, 3, a]]), 30);
    expect([seen.orders, seen.lastAt, seen.report()[3]]).toMatchObject([6, 20, { repeated: 2 }]);
  });

  it("other frames have no gifts", () => {
    seen.take(0, message({ code: 1004, body: {} }), 10);
    seen.take(0, message({ code: 1003, body: { bizCode: 5555, data: { content: "hi" } } }), 10);
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
