import { serviceNames } from "../../../broker/service-names.ts";
import { limits } from "../../../config/limits.ts";
import { faultKinds } from "../../../drill/books/compare.ts";
import { parseOptions } from "../../../drill/options.ts";
import { resultOf, tableOf } from "../../../drill/report.ts";
import type { Outcome } from "../../../drill/row-run.ts";
import { allRows, chosenRows } from "../../../drill/rows.ts";
import { layouts, pauseOf, placesOf } from "../../../drill/system/places.ts";

/** Which rows a drill has, and when one reaches its goal. */

test.each(layouts)("in layout %s every service has a place, and each place is killed, paused and cut off", (layout) => {
  const places = placesOf(layout);
  expect(places.flatMap(({ services }) => services).toSorted()).toEqual([...serviceNames].toSorted());
  const names = allRows(layout).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name } of places)
    expect(names).toEqual(expect.arrayContaining([`kill-${name}`, `pause-${name}`, `cut-${name}-nats`]));
});

test("each part of a server is killed, paused and lost with its disk", () => {
  const names = allRows("path").map(({ name }) => name);
  for (const part of ["nats-leader", "nats-other", "mysql-writer", "mysql-other", "proxy", "redis-master", "sentinel"])
    expect(names).toEqual(expect.arrayContaining([`kill-${part}`, `pause-${part}`, `wipe-${part}`]));
});

test("a node is paused for longer than its leases", () => {
  const of = (name: string) => pauseOf(placesOf("each").find((place) => place.name === name) as never);
  expect(of("payment")).toBeGreaterThan(limits.payment.maintenanceLeaseMs);
  expect(of("im-server")).toBeGreaterThan(limits.im.presenceLeaseMs);
  expect(of("api-gateway")).toBeGreaterThan(limits.rpc.heartbeatTimeoutS * 1_000);
});

test("rows are chosen by their names or the beginnings of these; the short drill has three", () => {
  const chosen = (...names: string[]) => chosenRows({ names, short: false, layout: "path" }).map(({ name }) => name);
  expect(chosen("kill-wallet", "pause-nats")).toEqual(["kill-wallet", "pause-nats-leader", "pause-nats-other"]);
  expect(chosen()).toHaveLength(allRows("path").length);
  expect(() => chosen("kill-w")).toThrow("no such row: kill-w");
  const short = chosenRows({ names: [], short: true, layout: "path" });
  expect(short.map(({ name }) => name)).toEqual(["kill-wallet", "kill-mysql-writer", "wipe-nats-leader"]);
});

test("options that are none are named", () => {
  expect(parseOptions(["--short"])).toMatchObject({ short: true, rate: 100, layout: "path", names: [] });
  expect(() => parseOptions(["--layout", "some"])).toThrow("--layout");
  expect(() => parseOptions(["--rate", "0"])).toThrow("--rate");
});

const whole: Outcome = {
  ...{ gifts: { accepted: 10, unknown: 0, refused: 0 }, payments: { accepted: 1, unknown: 0 } },
  ...{ lost: 0, doubled: 0, disordered: 0, failed: 0, faults: [], overdrafts: 0, misnamed: 0 },
  stall: { seconds: 30, gifts: 3, p99: 2 },
  unseen: { told: 4, silent: 0, holes: 0, stopped: 0, reconnects: 2 },
  ...{ errors: { "gift/send 503": 2 }, rate: 50, ends: [], note: "mysql-2", flows: true, seconds: 20 },
};
const resultFor = (over: Partial<Outcome>) => resultOf({ name: "row", title: "a row" }, { ...whole, ...over });

test("a row reaches its goal where nothing is lost, doubled or missed in silence, and gifts are settled again in 30 s", () => {
  expect(resultFor({}).ok).toBe(true);
  // What viewers were told, and the order of gifts, are counted.
  expect(resultFor({ disordered: 1, faults: [`${faultKinds.disordered}: 1`] }).ok).toBe(true);
  for (const over of [
    { lost: 1 },
    { doubled: 1 },
    { failed: 1 },
    { misnamed: 1 },
    { overdrafts: 1 },
    { flows: false },
    { faults: ["npm run verify: the books differ"] },
    { stall: { ...whole.stall, seconds: 30.1 } },
    { unseen: { ...whole.unseen, silent: 1 } },
    { unseen: { ...whole.unseen, holes: 1 } },
    { unseen: { ...whole.unseen, stopped: 1 } },
  ])
    expect([over, resultFor(over).ok]).toEqual([over, false]);
});

test("the table has a line for each row, and says which missed their goal", () => {
  const lines = tableOf([
    resultFor({}),
    resultFor({ lost: 2 }),
    { name: "x", title: "x", ok: true, skipped: "not here" },
    { name: "y", title: "y", ok: false, error: "it did not start\nat line 3" },
  ]).split("\n");
  expect(lines).toHaveLength(6);
  expect(lines[2]).toMatch(/^\| a row \(mysql-2\) \| 10 \| 1 \| 0 \|.* 2 × 503 \| {2}\|$/);
  expect(lines[3]).toMatch(/\*\*missed\*\* \|$/);
  expect(lines[4]).toContain("x: skipped: not here");
  expect(lines[5]).toContain("y: it did not start");
});
