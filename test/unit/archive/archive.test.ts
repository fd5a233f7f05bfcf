import fc from "fast-check";
import { limits } from "../../../config/limits.ts";
import { Filter, FilterBuilder, filterBytesFor, filterDigest, probeOf } from "../../../mixins/archive/bloom.ts";
import { type HotRows, nextRange } from "../../../mixins/archive/boundaries.ts";
import { byId, mergedPage, newestFirst } from "../../../mixins/archive/merged-page.ts";
import { Months } from "../../../mixins/archive/months.ts";
import { maySegmentMove, segmentStates } from "../../../mixins/archive/segment-state.ts";

describe("the states of a segment", () => {
  test("follow each other, and none is left out or gone back to", () => {
    const moves = segmentStates.flatMap((from) =>
      segmentStates.filter((to) => maySegmentMove(from, to)).map((to) => [from, to]),
    );
    expect(moves).toEqual([
      ["planned", "filtered"],
      ["filtered", "emptying"],
      ["emptying", "closed"],
    ]);
  });
});

describe("a filter", () => {
  const filterOf = (ids: readonly string[], partBytes?: number) => {
    const builder = new FilterBuilder(ids.length);
    for (const id of ids) builder.add(probeOf(id));
    return new Filter(builder.parts(partBytes), builder.hashes);
  };

  test("knows every id that was added, in whatever parts it is stored", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 50 }), fc.integer({ min: 1, max: 40 }), (ids, partBytes) => {
        const filter = filterOf(ids, partBytes);
        expect(ids.filter((id) => !filter.mayHave(probeOf(id)))).toEqual([]);
      }),
    );
  });

  test("takes one in several hundred others for one of its own, at 14 bits an id", () => {
    const filter = filterOf(Array.from({ length: 20_000 }, (_, n) => `order-${n}`));
    expect(filter.size).toBe(filterBytesFor(20_000));
    const others = Array.from({ length: 100_000 }, (_, n) => `other-${n}`).filter((id) => filter.mayHave(probeOf(id)));
    expect(others.length / 100_000).toBeLessThan(0.002);
  });

  test("has a form that does not change: stored filters are read for ever", () => {
    const builder = new FilterBuilder(2);
    builder.add(probeOf("order-1"));
    builder.add(probeOf("platform:credit:7"));
    const parts = builder.parts();
    expect([builder.hashes, parts.map((part) => part.toString("hex"))]).toEqual([9, ["4103a2200ec2101c"]]);
    expect(filterDigest([Buffer.from("ab"), Buffer.from("c")])).toEqual(filterDigest([Buffer.from("abc")]));
  });

  test("fits into rows, and the largest into parts that fit into a packet", () => {
    expect(limits.archive.filterPartBytes * 2).toBeLessThan(16_000_000);
    expect(filterBytesFor(limits.archive.segmentRows)).toBe(7_000_000);
  });
});

describe("the months of a time zone", () => {
  const months = new Months("Asia/Shanghai");

  test("begin at its midnight", () => {
    expect(months.of(Date.parse("2026-01-31T15:59:59.999Z"))).toBe("2026-01");
    expect(months.of(Date.parse("2026-01-31T16:00:00.000Z"))).toBe("2026-02");
    expect(new Date(months.endOf("2026-12")).toISOString()).toBe("2026-12-31T16:00:00.000Z");
  });

  test.each(["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Pago_Pago"])(
    "end where the next one begins, in %s",
    (zone) => {
      const own = new Months(zone);
      for (const month of ["2026-02", "2026-03", "2026-10", "2026-11", "2027-12"]) {
        const end = own.endOf(month);
        expect([own.of(end - 1), own.of(end) > month]).toEqual([month, true]);
      }
    },
  );

  test("are closed so many days after their end", () => {
    const end = months.endOf("2026-01");
    const day = 24 * 3_600_000;
    expect([10 * day - 1, 10 * day].map((ms) => months.isClosed("2026-01", 10, end + ms))).toEqual([false, true]);
  });
});

describe("the boundaries of segments", () => {
  const months = new Months("UTC");
  const now = new Date("2026-06-01T00:00:00Z");
  type Row = { id: bigint; time: Date };
  /** As the store answers. */
  const table = (all: readonly Row[]): HotRows => ({
    firstFrom: async (id) => all.find((row) => row.id >= id),
    lastBelow: async (id) => all.findLast((row) => row.id < id),
    firstOfOtherTime: async (id, time) => all.find((row) => row.id >= id && row.time.getTime() !== time.getTime())?.id,
    firstSince: async (time) => all.find((row) => row.time >= time)?.id ?? (all.at(-1)?.id ?? 0n) + 1n,
    newest: async () => {
      const last = all.at(-1);
      return last && all.find((row) => row.time.getTime() === last.time.getTime())?.id;
    },
  });
  const insert = (time: string, ...ids: number[]): Row[] => ids.map((id) => ({ id: BigInt(id), time: new Date(time) }));

  test("cut no INSERT, leave no gap, and hold no row of a month that is open", async () => {
    const inserts = fc.array(
      fc.record({ gap: fc.integer({ min: 1, max: 3 }), rows: fc.integer({ min: 1, max: 5 }), days: fc.nat(40) }),
      { minLength: 1, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(inserts, fc.integer({ min: 1, max: 12 }), async (plan, segmentRows) => {
        let [id, at] = [0, Date.parse("2026-03-01T00:00:00Z")];
        const all = plan.flatMap(({ gap, rows, days }) => {
          at += days * 24 * 3_600_000 + 1;
          id += gap;
          return Array.from({ length: rows }, () => ({ id: BigInt(id++), time: new Date(at) }));
        });
        let from = 0n;
        for (;;) {
          const range = await nextRange(table(all), from, months, now, { afterDays: 10, segmentRows });
          if (!range) break;
          expect(range.from).toBe(from);
          expect(range.to).toBeGreaterThan(range.from);
          const [inside, after] = [
            all.filter((r) => r.id >= from && r.id < range.to),
            all.filter((r) => r.id >= range.to),
          ];
          expect(inside.length).toBeGreaterThan(0);
          expect(inside.every(({ time }) => months.isClosed(months.of(time.getTime()), 10, now.getTime()))).toBe(true);
          expect(inside.at(-1)?.time.getTime()).not.toBe(after[0]?.time.getTime());
          expect(after.length).toBeGreaterThan(0);
          from = range.to;
        }
        const left = all.filter((row) => row.id >= from);
        const newest = left.filter(({ time }) => time.getTime() === all.at(-1)?.time.getTime());
        const closed = left.filter(({ time }) => months.isClosed(months.of(time.getTime()), 10, now.getTime()));
        expect(closed.filter((row) => !newest.includes(row))).toEqual([]);
      }),
    );
  });

  test("are those of the month, or of as many ids as a segment may have", async () => {
    const all = [
      ...insert("2026-01-05T00:00:00Z", 10, 11),
      ...insert("2026-01-06T00:00:00Z", 12, 13, 14),
      ...insert("2026-02-01T00:00:00Z", 15),
      ...insert("2026-05-30T00:00:00Z", 20),
    ];
    const bounds = { afterDays: 10, segmentRows: 100 };
    expect(await nextRange(table(all), 0n, months, now, bounds)).toEqual({ from: 0n, to: 15n, month: "2026-01" });
    expect(await nextRange(table(all), 0n, months, now, { ...bounds, segmentRows: 3 })).toMatchObject({ to: 15n });
    expect(await nextRange(table(all), 0n, months, now, { ...bounds, segmentRows: 1 })).toMatchObject({ to: 12n });
    expect(await nextRange(table(all), 15n, months, now, bounds)).toEqual({ from: 15n, to: 20n, month: "2026-02" });
    expect(await nextRange(table(all), 20n, months, now, bounds)).toBeUndefined();
    expect(await nextRange(table([]), 0n, months, now, bounds)).toBeUndefined();
  });
});

describe("a page of rows of which some are archived", () => {
  const rowsOf = (...ids: number[]) => ids.map((id) => ({ id: String(id) }));

  test("is the page of all rows, wherever the boundary is and whatever was moved in between", () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(20), fc.nat(20), fc.integer({ min: 1, max: 25 }), (count, moved, more, limit) => {
        const all = Array.from({ length: count }, (_, n) => n + 1);
        const hot = all.filter((id) => id > moved);
        // What was moved between the two statements is in both answers.
        const archived = all.filter((id) => id <= moved + more);
        const down = mergedPage(
          rowsOf(...hot.toReversed().slice(0, limit)),
          rowsOf(...archived.toReversed().slice(0, limit)),
          newestFirst,
          limit,
        );
        expect(down).toEqual(rowsOf(...all.toReversed().slice(0, limit)));
        const up = mergedPage(rowsOf(...hot.slice(0, limit)), rowsOf(...archived.slice(0, limit)), byId, limit);
        expect(up).toEqual(rowsOf(...all.slice(0, limit)));
      }),
    );
  });

  test("is in the order of ids beyond 2^53 too", () => {
    const [low, high] = [{ id: "9007199254740993" }, { id: "9007199254740994" }];
    expect([[low, high].sort(newestFirst), [high, low].sort(byId)]).toEqual([
      [high, low],
      [low, high],
    ]);
  });
});
