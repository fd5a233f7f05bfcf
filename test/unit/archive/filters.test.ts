import { limits } from "../../../config/limits.ts";
import { FilterBuilder, filterDigest, probeOf } from "../../../mixins/archive/bloom.ts";
import { ArchiveFilters, FiltersBehind, type Hold } from "../../../mixins/archive/filters.ts";
import type { SegmentState } from "../../../mixins/archive/segment-state.ts";
import type { Database, Transaction } from "../../../mixins/mysql/database.ts";
import { archivedTrades } from "../../../services/archived-tables.ts";

interface Stored {
  readonly state: SegmentState;
  readonly ids: readonly string[];
  readonly wrong?: true;
}

/** A database with segments, as far as the holder reads it. */
class Books {
  revision = 1;
  generation = 0;
  segments: Stored[] = [];
  parts = 0;
  isAway = false;
  /** The first segment begins here. */
  begin = 0;

  readonly query = async (sql: string, values: unknown[] = []): Promise<never[]> => {
    if (this.isAway) throw new Error("away");
    return this.answer(sql, values) as never[];
  };

  readonly snapshot = <T>(read: (db: unknown) => Promise<T>): Promise<T> => read(this);

  private filterOf({ ids }: Stored): Buffer[] {
    const builder = new FilterBuilder(ids.length);
    for (const id of ids) builder.add(probeOf(id));
    return builder.parts();
  }

  private answer(sql: string, [, segment]: unknown[]): unknown[] {
    const one = this.segments[Number(segment) - 1] as Stored;
    if (sql.includes("t_archive_revision")) return [{ revision: String(this.revision) }];
    if (sql.includes("seal IS NOT NULL")) {
      const digest = one.wrong ? Buffer.alloc(32) : filterDigest(this.filterOf(one));
      const zero = { row_count: "1", row_sum: "0", row_points: "0", digest: Buffer.alloc(32), key_name: "k" };
      return [{ ...zero, filter_hashes: 9, filter_digest: digest, seal: Buffer.alloc(32) }];
    }
    if (sql.includes("SELECT bits")) {
      this.parts++;
      return [{ bits: this.filterOf(one)[0] }];
    }
    if (sql.includes("t_archive_filter")) return [{ part: 0 }];
    return this.segments.map(({ state }, at) => ({
      ...{ table_name: archivedTrades.table, segment: at + 1, month: "2026-01", state },
      ...{
        from_id: String(at === 0 ? this.begin : at * 100),
        to_id: String((at + 1) * 100),
        moved_to: String(at * 100),
      },
    }));
  }
}

let books: Books;
let filters: ArchiveFilters;
const logged: string[] = [];
const log = { warn: (_about: object, text?: string) => logged.push(text ?? ""), error: () => logged.push("error") };
const open = (bytesMost = Number.POSITIVE_INFINITY) =>
  new ArchiveFilters({ mysql: books as unknown as Database, table: archivedTrades, log: log as never, bytesMost });
const tx = () => books as unknown as Transaction;
const suspects = async (ids: readonly string[]) => (await filters.hold(tx())).suspects(ids);

beforeEach(() => {
  books = new Books();
  logged.length = 0;
  filters = open();
});

test("a transaction may write where the filters are those of the database, and else must load them first", async () => {
  await expect(filters.hold(tx())).rejects.toThrow(FiltersBehind);
  await filters.load();
  await filters.hold(tx());
  books.revision++;
  await expect(filters.hold(tx())).rejects.toThrow(FiltersBehind);
  await filters.load();
  await filters.hold(tx());
  // After a failover the same revision may be of other segments.
  books.generation++;
  await expect(filters.hold(tx())).rejects.toThrow(FiltersBehind);
});

test("ids are suspected where a filter has them; segments that are only planned have none", async () => {
  books.segments = [
    { state: "closed", ids: ["a", "b"] },
    { state: "emptying", ids: ["c"] },
    { state: "planned", ids: ["d"] },
  ];
  await filters.load();
  expect(await suspects(["new", "c", "a"])).toEqual([
    { from: 100n, to: 200n, ids: ["c"], isClosed: false },
    { from: 0n, to: 100n, ids: ["a"], isClosed: true },
  ]);
  expect(await suspects(["d", "new"])).toEqual([]);
});

test("a filter is read once, and those that are added later are read too", async () => {
  books.segments = [{ state: "filtered", ids: ["a"] }];
  await filters.load();
  books.segments = [
    { state: "closed", ids: ["a"] },
    { state: "filtered", ids: ["b"] },
  ];
  books.revision++;
  await filters.load();
  expect(books.parts).toBe(2);
  expect(await suspects(["b"])).toHaveLength(1);
});

test("beyond the bound the oldest segments have no filter in memory, and every id may be in them", async () => {
  books.segments = [
    { state: "closed", ids: ["a"] },
    { state: "closed", ids: ["b"] },
  ];
  filters = open(8);
  await filters.load();
  expect(await suspects(["new"])).toEqual([{ from: 0n, to: 100n, ids: ["new"], isClosed: true }]);
  expect(logged).toHaveLength(1);
});

test("a filter that is not what was sealed hides nothing", async () => {
  books.segments = [{ state: "closed", ids: ["a"], wrong: true }];
  await filters.load();
  expect(await suspects(["new"])).toHaveLength(1);
  expect(logged).toContain("error");
});

test("what a transaction got is not changed by filters that are loaded before it ends", async () => {
  books.segments = [{ state: "closed", ids: ["a"] }];
  await filters.load();
  const held = await filters.hold(tx());
  books.segments = [...books.segments, { state: "filtered", ids: ["b"] }];
  books.revision++;
  await filters.load();
  expect([held.suspects(["b"]).length, (await suspects(["b"])).length]).toEqual([0, 1]);
});

test("revision and segments are read as of one moment", async () => {
  books.segments = [{ state: "filtered", ids: ["a"] }];
  // A segment is filtered between the poll and the load: the revision is that of the segments.
  jest.spyOn(books, "snapshot").mockImplementationOnce((read) => {
    books.segments = [...books.segments, { state: "filtered", ids: ["b"] }];
    books.revision = 2;
    return read(books);
  });
  await filters.load();
  expect(await suspects(["b"])).toHaveLength(1);
});

test.each([
  ["a gap before them", () => (books.begin = 1)],
  ["one that is gone", () => books.segments.pop()],
  ["another filter than before", () => (books.segments[1] = { state: "closed", ids: ["other"] })],
])("nothing is written, and everybody is told, with %s in the segments", async (_what, change) => {
  books.segments = [
    { state: "closed", ids: ["a"] },
    { state: "closed", ids: ["b"] },
  ];
  await filters.load();
  change();
  books.revision++;
  const work = jest.fn(async (hold: Hold) => hold(tx()));
  await expect(filters.holding(work)).rejects.toMatchObject({ type: "unavailable" });
  expect(work).toHaveBeenCalledTimes(1);
  expect(logged).toContain("error");
});

test("who reads is sent everywhere once the filters were asked for too long ago, and nowhere else before", async () => {
  await filters.load();
  expect(filters.lookups(["new"])).toEqual([]);
  books.isAway = true;
  await expect(filters.load()).rejects.toThrow("away");
  const now = performance.now();
  const clock = jest.spyOn(performance, "now").mockReturnValue(now + limits.archive.freshMs + 1_000);
  expect(filters.lookups(["new"])).toEqual([{ from: 0n, to: 2n ** 64n - 1n, ids: ["new"], isClosed: false }]);
  expect(filters.lookups([])).toEqual([]);
  clock.mockRestore();
});

test("the first row is moved later than any node takes its filters for new", () => {
  const { freshMs, pollMs, settleMs } = limits.archive;
  expect(settleMs).toBeGreaterThan(freshMs + pollMs);
  expect(freshMs).toBeGreaterThan(2 * pollMs);
});
