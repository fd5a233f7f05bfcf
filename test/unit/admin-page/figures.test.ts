/** What the charts, the filters and the edits of the staff page are made of. */

interface Minute {
  minute: string;
  gifts: number | null;
}
interface ChartData {
  wholeMinutes(rows: Minute[], now: string): (Minute & { time: number })[];
  columnsOf(rows: (Minute & { time: number })[], field: string): [number[], (number | null)[]];
  summaryOf(rows: object[], field: string): { last: number | null; sum: number | null };
  topOf(values: (number | null)[]): number;
  compact(value: number): string;
  bytes(value: unknown): string;
  notReady(services: { name: string; ready: boolean }[]): string[];
}
interface Filter {
  filterOf(given: Record<string, string | undefined>): Record<string, string>;
  addressOf(filter: Record<string, string>): Record<string, string>;
  localTime(iso: string | undefined): string;
  askedOf(filter: Record<string, string>): Record<string, string>;
  shortRoute(route: string): string;
  toneOf(outcome: string | null): string;
}
interface Edits {
  editOf(before: object, after: object): { set: object; undo: object; names: string[] };
}
interface Replay {
  replayRange(
    part: (from: string) => Promise<{ replayed: number; nextFrom: string | null }>,
    options: { from: string; onPart?: (replayed: number, nextFrom: string | null) => void; signal?: AbortSignal },
  ): Promise<{ replayed: number; stoppedAt: string | null; error?: unknown }>;
}

interface Known {
  knownFigures(figures: object): Record<string, unknown>;
}

const { knownFigures } = require("../../../admin-page/js/known-figures.js") as Known;
const chart = require("../../../admin-page/js/chart-data.js") as ChartData;
const audit = require("../../../admin-page/js/audit-filter.js") as Filter;
const { editOf } = require("../../../admin-page/js/edits.js") as Edits;
const { replayRange } = require("../../../admin-page/js/replay-range.js") as Replay;

const at = (minute: number, gifts: number | null = minute): Minute => ({
  minute: `2026-11-26T12:${String(minute).padStart(2, "0")}:00.000Z`,
  gifts,
});
const now = "2026-11-26T12:05:30.000Z";

describe("figures", () => {
  const figures = {
    ...{ parked: 0, differences: 0, deadLetters: 1, findings: 2, openProposals: 3, rooms: 4, connections: 5 },
    queue: { gifts: 6, oldestMs: 7, partitions: [{ partition: 0, gifts: 6 }] },
    perMinute: [{ minute: "m", gifts: 1, coins: 2, paidOrders: 0, chargedCoins: 0 }],
  };

  test("of a service that did not answer are unknown, and not 0", () => {
    const known = knownFigures({ ...figures, missing: ["payment", "staff"] });
    expect(known).toMatchObject({ parked: null, differences: null, openProposals: null, deadLetters: 1, findings: 2 });
    expect(known.perMinute).toEqual([{ minute: "m", gifts: 1, coins: 2, paidOrders: null, chargedCoins: null }]);
    expect(known.queue).toEqual(figures.queue);
  });

  test("a queue that nobody knows is not an empty one", () => {
    const known = knownFigures({ ...figures, missing: ["gift"] });
    expect(known.queue).toEqual({ gifts: null, oldestMs: null, partitions: [] });
    expect(known.perMinute).toMatchObject([{ gifts: null, coins: null, paidOrders: 0 }]);
  });

  test("are as they came where all have answered", () => {
    expect(knownFigures({ ...figures, missing: [] })).toEqual({ ...figures, missing: [] });
  });
});

describe("charts", () => {
  test("the running minute is left out, the others come in order, each once", () => {
    const whole = chart.wholeMinutes([at(5), at(3), at(4), at(3)], now);
    expect(whole.map(({ minute }) => minute)).toEqual([at(3).minute, at(4).minute]);
  });

  test("a minute that nobody counted is a gap, and not 0", () => {
    const [times, values] = chart.columnsOf(chart.wholeMinutes([at(0), at(3), at(4, null)], now), "gifts");
    expect(values).toEqual([0, null, null, 3, null]);
    expect(times.map((time) => (time - (times[0] as number)) / 60)).toEqual([0, 1, 2, 3, 4]);
    expect(times[0]).toBe(Date.parse(at(0).minute) / 1_000);
  });

  test("the last minute and the sum", () => {
    expect(chart.summaryOf([at(1), at(2)], "gifts")).toEqual({ last: 2, sum: 3 });
    expect(chart.summaryOf([at(1), at(2, null)], "gifts")).toEqual({ last: null, sum: 1 });
    expect(chart.summaryOf([], "gifts")).toEqual({ last: null, sum: null });
  });

  test.each([
    [[], 4],
    [[null, 1], 4],
    [[100, null], 111],
  ])("the scale of %j ends at %d", (values, top) => expect(chart.topOf(values)).toBe(top));

  test.each([
    [0, "0"],
    [999, "999"],
    [1_250, "1.3K"],
    [3_000_000, "3M"],
  ])("%d on an axis is %s", (value, text) => expect(chart.compact(value)).toBe(text));

  test.each([
    [512, "512 B"],
    [1_536, "1.5 KiB"],
    [100_000_000, "95.4 MiB"],
    [null, "–"],
  ])("%p bytes are %s", (value, text) => expect(chart.bytes(value)).toBe(text));

  test("the services that are not ready are named", () => {
    const services = [
      { name: "gift", ready: true },
      { name: "wallet", ready: false },
    ];
    expect(chart.notReady(services)).toEqual(["wallet"]);
  });
});

describe("the filter of the audit", () => {
  test("only what says something is asked for; an address may have been typed", () => {
    const typed = { person: " ada ", route: "", from: "yesterday", to: "2026-11-26T12:00:00.000Z", q: "x" };
    expect(audit.filterOf(typed)).toEqual({ person: "ada", to: "2026-11-26T12:00:00.000Z" });
  });

  test("what is not set is taken out of the address", () => {
    expect(audit.addressOf({ about: "7" })).toEqual({ person: "", route: "", about: "7", from: "", to: "" });
  });

  test("a time of the address stands in its field and means the same minute", () => {
    expect(new Date(audit.localTime("2026-11-26T12:34:56.000Z")).toISOString()).toBe("2026-11-26T12:34:00.000Z");
    expect(audit.localTime("nonsense")).toBe("");
    expect(audit.localTime(undefined)).toBe("");
  });

  test.each([
    ["order/refund", "/live/admin/order/refund"],
    ["/live/admin/order/refund", "/live/admin/order/refund"],
  ])("the call %s is asked for by its whole path", (route, whole) => {
    expect(audit.askedOf({ route, person: "ada" })).toEqual({ route: whole, person: "ada" });
    expect(audit.shortRoute(whole)).toBe("order/refund");
  });

  test("without a call nothing is added, and another path is shown as it is", () => {
    expect(audit.askedOf({ about: "7" })).toEqual({ about: "7" });
    expect(audit.shortRoute("console")).toBe("console");
  });

  test.each([
    ["succeeded", "good"],
    ["balanceShort", "bad"],
    [null, "wait"],
  ])("the outcome %p looks %s", (outcome, tone) => expect(audit.toneOf(outcome)).toBe(tone));
});

describe("an edit", () => {
  test("sends what differs alone, and knows what takes it back", () => {
    const before = { name: "Rose", price: 10, events: ["a", "b"] };
    const edit = editOf(before, { name: "Rose", price: 12, events: ["b", "a"], coverImgUrl: undefined });
    expect(edit).toEqual({ set: { price: 12 }, undo: { price: 10 }, names: ["price"] });
  });

  test("an emptied field differs, and so does a list with one more", () => {
    expect(editOf({ url: "x", events: ["a"] }, { url: "", events: ["a", "b"] }).names).toEqual(["url", "events"]);
  });
});

describe("the replay of a time", () => {
  const parts = (...all: { replayed: number; nextFrom: string | null }[]) => {
    const asked: string[] = [];
    const part = async (from: string) => {
      asked.push(from);
      return all[asked.length - 1] ?? Promise.reject(new Error("nothing left"));
    };
    return { asked, part };
  };

  test("goes on where the server stopped, and tells of each part", async () => {
    const { asked, part } = parts({ replayed: 5, nextFrom: "t1" }, { replayed: 2, nextFrom: null });
    const told: unknown[] = [];
    const outcome = await replayRange(part, { from: "t0", onPart: (...of) => told.push(of) });
    expect(asked).toEqual(["t0", "t1"]);
    expect(told).toEqual([
      [5, "t1"],
      [7, null],
    ]);
    expect(outcome).toEqual({ replayed: 7, stoppedAt: null });
  });

  test("a failure says how far it came", async () => {
    const { part } = parts({ replayed: 5, nextFrom: "t1" });
    const outcome = await replayRange(part, { from: "t0" });
    expect(outcome).toMatchObject({ replayed: 5, stoppedAt: "t1", error: new Error("nothing left") });
  });

  test("it ends between two parts when it is stopped, and where a part comes no further", async () => {
    const stopped = new AbortController();
    const { asked, part } = parts({ replayed: 5, nextFrom: "t1" }, { replayed: 5, nextFrom: "t2" });
    const outcome = await replayRange(part, { from: "t0", signal: stopped.signal, onPart: () => stopped.abort() });
    expect([asked, outcome]).toEqual([["t0"], { replayed: 5, stoppedAt: "t1" }]);
    const stuck = parts({ replayed: 3, nextFrom: "t0" });
    expect(await replayRange(stuck.part, { from: "t0" })).toEqual({ replayed: 3, stoppedAt: "t0" });
  });
});
