import { LocalWindows } from "../../mixins/rate-limit.mixin.ts";
import { FaultRate } from "../../mixins/user-rate.ts";

describe("the rate of faults", () => {
  test("after a burst a key is blocked for a pause, again after each further fault; others are not", () => {
    const rate = new FaultRate({ perMinute: 60, burst: 5, remembered: 10 });
    for (let fault = 1; fault <= 5; fault++) {
      expect([fault, rate.isExceeded("a", 0)]).toEqual([fault, false]);
      rate.add("a", 0);
    }
    expect([rate.isExceeded("a", 0), rate.isExceeded("b", 0)]).toEqual([true, false]);
    expect([rate.isExceeded("a", 800), rate.isExceeded("a", 1_000)]).toEqual([true, false]);
    rate.add("a", 1_000);
    expect([rate.isExceeded("a", 1_000), rate.isExceeded("a", 2_000)]).toEqual([true, false]);
  });

  test("faults beyond the rate are not added up, and a pause as long as the burst forgives all", () => {
    const rate = new FaultRate({ perMinute: 60, burst: 5, remembered: 10 });
    for (let fault = 0; fault < 1_000; fault++) rate.add("a", 0);
    expect(rate.isExceeded("a", 1_000)).toBe(false);
    for (let fault = 0; fault < 4; fault++) rate.add("a", 5_000);
    expect(rate.isExceeded("a", 5_000)).toBe(false);
  });

  test("memory is bounded: the key that was counted least recently is forgotten", () => {
    const rate = new FaultRate({ perMinute: 60, burst: 1, remembered: 2 });
    for (const key of ["a", "b", "c"]) rate.add(key, 0);
    expect(["a", "b", "c"].map((key) => rate.isExceeded(key, 0))).toEqual([false, true, true]);
  });
});

test("without Redis a node counts in windows of its own, each from its first hit on, and forgets the oldest keys", () => {
  const windows = new LocalWindows(2);
  const limit = { name: "http-ip", key: "192.0.2.1", limit: 2, windowMs: 60_000 };
  expect([windows.hit(limit, 0), windows.waitFor(limit, 0)]).toEqual([0, 0]);
  expect([windows.hit(limit, 10_000), windows.waitFor(limit, 10_000)]).toEqual([0, 50_000]);
  expect(windows.hit(limit, 20_000)).toBe(40_000);
  expect([windows.waitFor(limit, 60_000), windows.hit(limit, 60_000)]).toEqual([0, 0]);
  expect(windows.hit({ ...limit, name: "other" }, 60_000)).toBe(0);
  for (let n = 0; n < 2; n++) windows.hit({ ...limit, key: `k${n}` }, 60_000);
  expect(windows.waitFor({ ...limit, limit: 1 }, 60_000)).toBe(0);
});
