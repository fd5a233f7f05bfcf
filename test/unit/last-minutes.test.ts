import { limits } from "../../config/limits.ts";
import { joinMinutes } from "../../services/admin-gateway/figures/figures.ts";
import { problemOf, processOf } from "../../services/admin-gateway/figures/node-figures.ts";
import { everyMinute, firstMinute, minuteOf } from "../../services/last-minutes.ts";

const now = Date.parse("2026-01-02T03:04:59.999Z");

test("the last minutes end with the present one, and each is there, with what it has or with nothing", () => {
  expect(minuteOf(now)).toBe("2026-01-02T03:04:00.000Z");
  expect(firstMinute(now).toISOString()).toBe("2026-01-02T02:05:00.000Z");
  const rows = new Map([
    ["2026-01-02T03:03:00.000Z", { gifts: 7 }],
    ["2026-01-02T02:04:00.000Z", { gifts: 9 }],
  ]);
  const minutes = everyMinute(now, rows, { gifts: 0 });
  expect(minutes).toHaveLength(limits.metrics.minutesShown);
  expect(minutes[0]).toEqual({ minute: "2026-01-02T02:05:00.000Z", gifts: 0 });
  expect(minutes.at(-2)).toEqual({ minute: "2026-01-02T03:03:00.000Z", gifts: 7 });
  expect(minutes.reduce((sum, { gifts }) => sum + gifts, 0)).toBe(7);
});

test("minutes of two services are joined by their minute; where one is missing its numbers are 0", () => {
  const [one, two] = ["2026-01-02T03:03:00.000Z", "2026-01-02T03:04:00.000Z"];
  const gifts = [
    { minute: one, gifts: 1, coins: 5 },
    { minute: two, gifts: 2, coins: 6 },
  ];
  expect(joinMinutes(gifts, [{ minute: two, paidOrders: 3, chargedCoins: 7 }])).toEqual([
    { minute: one, gifts: 1, coins: 5, paidOrders: 0, chargedCoins: 0 },
    { minute: two, gifts: 2, coins: 6, paidOrders: 3, chargedCoins: 7 },
  ]);
  expect(joinMinutes(undefined, [{ minute: one, paidOrders: 3, chargedCoins: 7 }])).toEqual([
    { minute: one, gifts: 0, coins: 0, paidOrders: 3, chargedCoins: 7 },
  ]);
  expect(joinMinutes()).toEqual([]);
});

test("a node's problem has every dependency that fails or degrades it", () => {
  expect(problemOf({ report: { mysql: true, nats: true } })).toBeNull();
  expect(problemOf({ report: { mysql: "gone", nats: true, books: { degraded: "they differ" } } })).toBe(
    "mysql: gone; books: they differ",
  );
  expect(problemOf({ report: { failure: "REQUEST_TIMEOUT" } })).toBe("failure: REQUEST_TIMEOUT");
});

test("of a process that did not say a number there is none", () => {
  const values = (value: unknown) => [{ value }];
  expect(processOf([])).toEqual({ uptimeS: null, cpuPercent: null, memoryBytes: null });
  expect(
    processOf([
      { name: "ovation.process.cpu", values: values(12) },
      { name: "ovation.process.memory", values: values("many") },
      { name: "ovation.process.uptime", values: [] },
    ]),
  ).toEqual({ uptimeS: null, cpuPercent: 12, memoryBytes: null });
});
