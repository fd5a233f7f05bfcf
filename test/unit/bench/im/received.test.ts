import type { Offered } from "../../../../bench/im/offer.ts";
import {
  keepsUp,
  type LoadRun,
  latenciesMs,
  latency,
  noneReceived,
  type Received,
  ratioOf,
  runOf,
  viewersOff,
} from "../../../../bench/im/received.ts";

const startedAt = 1_700_000_000_000;

/** Two viewers of room 1 that each got ten orders with a sum of 20 in two frames, the last one after `lastMs`. */
function received(lastMs: number): Received {
  const one = noneReceived([1, 1]);
  Object.assign(one, { frames: 4, bytes: 400, orders: 20, sums: [20, 20], lastAt: startedAt + lastMs });
  one.latencies[50] = 10;
  one.latencies[lastMs] = 10;
  return one;
}

const offered: Offered = { gifts: 10, sums: new Map([[1, 20]]), refused: 0, seconds: 2 };

function figures(all: readonly Received[], changes: Partial<Offered> = {}): LoadRun {
  const about = { viewers: 2, giftsPerSecond: 5, startedAt, cpuMicros: { server: 500_000 }, viewersCpuMicros: 200_000 };
  return runOf(all, { ...about, offered: { ...offered, ...changes } });
}

describe("the latency of received orders", () => {
  it("is by nearest rank over all processes", () => {
    const [a, b] = [noneReceived([1]), noneReceived([1])];
    for (const [ms, one] of [[10, a] as const, [20, a] as const, [30, b] as const, [40, b] as const]) {
      one.latencies[ms] = 1;
      one.orders++;
    }
    expect([0.25, 0.5, 0.75, 0.76, 1].map((share) => latency([a, b], share))).toEqual([10, 20, 30, 40, 40]);
  });

  it("counts an order as often as it was received", () => {
    const one = noneReceived([1]);
    one.latencies[5] = 99;
    one.latencies[900] = 1;
    one.orders = 100;
    expect([latency([one], 0.99), latency([one], 0.991)]).toEqual([5, 900]);
  });

  it("is bounded by the longest that is counted, and NaN without orders", () => {
    const one = noneReceived([1]);
    expect(latency([one], 0.5)).toBeNaN();
    one.latencies[latenciesMs] = 1;
    one.orders = 1;
    expect(latency([one], 0.5)).toBe(latenciesMs);
  });
});

describe("conservation at the viewers", () => {
  const sent = new Map([
    [1, 20],
    [2, 30],
  ]);

  it("holds where every viewer's sum equals what was sent to its room", () => {
    expect(viewersOff([{ rooms: [1, 2, 2], sums: [20, 30, 30] }], sent)).toBe(0);
  });

  it.each([
    ["one gift too few", { rooms: [1, 2], sums: [19, 30] }],
    ["one gift too many", { rooms: [1, 2], sums: [20, 31] }],
    ["another room's gifts", { rooms: [1, 2], sums: [30, 30] }],
    ["a room that nothing was sent to", { rooms: [1, 3], sums: [20, 0] }],
  ])("does not hold with %s", (_what, one) => {
    expect(viewersOff([one], sent)).toBe(1);
  });
});

describe("the figures of a run", () => {
  it("are over the time of sending where the last frame arrived within it", () => {
    expect(figures([received(1_900)])).toEqual({
      ...{ viewers: 2, giftsPerSecond: 5, framesPerViewerPerSecond: 1, deliveriesPerSecond: 2 },
      ...{ giftDeliveriesPerSecond: 10, bytesPerSecond: 200, bytesPerViewerPerSecond: 100, p50Ms: 50, p99Ms: 1_900 },
      ...{ serverCpu: { server: 25 }, viewersCpu: 10, arrived: 1, conserved: true },
    });
  });

  it("are over the time until the last frame where that was later", () => {
    const late = figures([received(8_000)]);
    expect(late).toMatchObject({ giftDeliveriesPerSecond: 3, framesPerViewerPerSecond: 0.25, conserved: true });
    expect(late.serverCpu).toEqual({ server: 25 });
  });

  it("have the share that arrived, which is below 1 where one is missing", () => {
    const some = { ...received(1_900), orders: 15 };
    expect(figures([some]).arrived).toBe(0.75);
    const many = { ...received(1_900), orders: 1_999_999 };
    expect(figures([many], { gifts: 1_000_000 }).arrived).toBe(0.9999);
  });

  it.each([
    ["a viewer's sum is off", [{ ...received(1_900), sums: [20, 18] }], {}],
    ["a viewer lost its connection", [{ ...received(1_900), faults: ["viewer 1 was closed with 4508"] }], {}],
    ["gifts were refused", [received(1_900)], { refused: 1 }],
  ])("are not conserved where %s", (_what, all, changes) => {
    expect(figures(all, changes).conserved).toBe(false);
  });
});

describe("a rate is sustained", () => {
  const good = { ...figures([received(1_900)]), p99Ms: 1_000 };

  it("where everything arrives in time", () => {
    expect(keepsUp(good)).toBe(true);
    expect(keepsUp({ ...good, giftDeliveriesPerSecond: 9 })).toBe(true);
  });

  it.each([
    ["not where something is missing", { conserved: false }],
    ["not where gifts take long", { p99Ms: 1_001 }],
    ["not where nothing came", { p99Ms: Number.NaN }],
    ["not where frames pile up: the last ones come when no gift is sent any more", { giftDeliveriesPerSecond: 8.9 }],
  ])("%s", (_what, change) => {
    expect(keepsUp({ ...good, ...change })).toBe(false);
  });

  it("and compared by gift deliveries", () => {
    const other = { ...good, giftDeliveriesPerSecond: 3 };
    expect(ratioOf(good, other)).toBe(3.3);
    expect([ratioOf(undefined, other), ratioOf(good, undefined)]).toEqual([undefined, undefined]);
  });
});
