import { furthest, isBeyond, skewOf, surest } from "../../../mixins/clock/skew.ts";

describe("the difference of two clocks", () => {
  test("is taken at the middle of question and answer, and is uncertain by half of that time", () => {
    expect(skewOf("db", 10_100, { at: 10_000, tookMs: 200 })).toEqual({ server: "db", ms: 0, uncertainMs: 100 });
    expect(skewOf("db", 40_100, { at: 10_000, tookMs: 200 })).toMatchObject({ ms: 30_000 });
    expect(skewOf("db", 9_000, { at: 10_000, tookMs: 0 })).toMatchObject({ ms: -1_000, uncertainMs: 0 });
  });

  test("is beyond a bound only where it is certain", () => {
    expect(isBeyond({ ms: 1_200, uncertainMs: 100 }, 1_000)).toBe(true);
    expect(isBeyond({ ms: -1_200, uncertainMs: 100 }, 1_000)).toBe(true);
    expect(isBeyond({ ms: 1_200, uncertainMs: 300 }, 1_000)).toBe(false);
    expect(isBeyond({ ms: 1_000, uncertainMs: 0 }, 1_000)).toBe(false);
  });

  test("of several readings is the surest one, of several servers the one that is furthest away", () => {
    const readings = [
      { server: "a", ms: 5, uncertainMs: 40 },
      { server: "b", ms: -30, uncertainMs: 2 },
    ];
    expect(surest(readings)?.server).toBe("b");
    expect(furthest(readings)?.server).toBe("b");
    expect([surest([]), furthest([])]).toEqual([undefined, undefined]);
  });
});
