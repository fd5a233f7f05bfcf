import { giftOf } from "../../../../bench/burst/burst-gifts.ts";
import { giftsByRoom, outcome, type PartOfBurst, wholeBurst } from "../../../../bench/burst/outcomes.ts";

const { unsent, accepted, refused, unknown } = outcome;

function part(from: number, outcomes: number[], over: Partial<PartOfBurst> = {}): PartOfBurst {
  const millis = Float64Array.from(outcomes, (_, i) => i + 1);
  return { from, outcomes: Uint8Array.from(outcomes), millis, refused: {}, firstAt: 100, lastAt: 200, ...over };
}

describe("the outcome of a burst", () => {
  it("adds up the parts: from the first request to the last answer of any of them", () => {
    const first = part(0, [accepted, accepted, refused], { refused: { "503 busy": 1 }, firstAt: 110, lastAt: 190 });
    const second = part(3, [accepted, refused, refused], { refused: { "503 busy": 1, "401 no": 1 } });
    expect(wholeBurst([first, second])).toMatchObject({
      ...{ accepted: 3, refused: 3, unknown: 0, refusedBy: { "503 busy": 2, "401 no": 1 } },
      ...{ firstAt: 100, lastAt: 200 },
    });
  });

  it("a gift without an answer may have been accepted; one that was not sent was not", () => {
    expect(wholeBurst([part(0, [accepted, unknown, unsent])])).toMatchObject({
      ...{ accepted: 1, unknown: 1, refused: 1 },
    });
  });

  it("its percentiles are of the answers alone, of all parts together", () => {
    const slow = part(0, [accepted, unknown, refused], { millis: Float64Array.from([50, 0, 70]) });
    const quick = part(3, [accepted], { millis: Float64Array.from([10]) });
    expect(wholeBurst([slow, quick])).toMatchObject({ p50Ms: 50, p99Ms: 70 });
  });
});

describe("the gifts of each room", () => {
  it("are those that were accepted, and those that may have been, with their pieces", () => {
    const outcomes = [accepted, accepted, refused, unsent, accepted, unknown];
    const rooms = giftsByRoom([part(0, outcomes.slice(0, 3)), part(3, outcomes.slice(3))], 2);
    const count = (n: number) => giftOf(n, 2).count;
    expect(rooms.get(1)).toEqual({
      accepted: { gifts: 2, pieces: count(0) + count(4) },
      unknown: { gifts: 0, pieces: 0 },
    });
    expect(rooms.get(2)).toEqual({
      accepted: { gifts: 1, pieces: count(1) },
      unknown: { gifts: 1, pieces: count(5) },
    });
  });
});
