import { othersOf } from "../../../bench/gate/others.ts";

const report = { accepted: 4, refused: {}, unknown: 0, seconds: 1, p50Ms: 0, p99Ms: 0 };

describe("gifts beside those of a gate's unanswered calls", () => {
  it("a slow gift that was in no unanswered call was held up", () => {
    const slow = [
      { orderId: "in-hung", ms: 200 },
      { orderId: "beside", ms: 150 },
    ];
    const timesMs = Float64Array.from([1, 2, 150, 200]);
    expect(othersOf({ ...report, slow, timesMs }, ["in-hung", "never answered"])).toEqual({
      ...{ hung: 1, gifts: 3, heldUp: 1, p99Ms: 150 },
    });
  });

  it("a gift without an order is not known to have been in an unanswered call", () => {
    const slow = [{ orderId: undefined, ms: 300 }];
    expect(othersOf({ ...report, slow, timesMs: Float64Array.from([1, 300]) }, [])).toMatchObject({ heldUp: 1 });
  });
});
