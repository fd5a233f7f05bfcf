import { createConnection } from "mysql2/promise";
import { config, databaseName } from "../../../config/config.ts";
import { archivedByKey } from "../../../mixins/archive/archived-rows.ts";
import { verdictOfSegment } from "../../../mixins/archive/seal-segment.ts";
import { readSealed } from "../../../mixins/archive/segment-store.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { archivedRecords, archivedTables, archivedTrades } from "../../../services/archived-tables.ts";
import { bookKeys } from "../../../services/book-keys.ts";
import { migrationFolders } from "../../../services/databases.ts";
import {
  archiveAll,
  asRoot,
  closeArchives,
  databaseOf,
  moverOf,
  segmentsOf,
  stepsUntil,
} from "../../support/archive.ts";
import { rows } from "../../support/books.ts";
import { stopAll } from "../../support/system.ts";

const { table, archive } = archivedTrades;

beforeAll(async () => {
  for (const service of ["wallet", "gift"] as const) await migrate(databaseName(service), migrationFolders[service]);
});
afterAll(async () => {
  await closeArchives();
  await stopAll();
});
beforeEach(async () => {
  for (const { service, table: hot, archive: old } of archivedTables) {
    await asRoot(service, `TRUNCATE TABLE ${hot}`);
    await asRoot(service, `ALTER TABLE ${old} REMOVE PARTITIONING`);
    await asRoot(service, `TRUNCATE TABLE ${old}`);
    await asRoot(service, `ALTER TABLE ${old} PARTITION BY RANGE (id) (PARTITION p_rest VALUES LESS THAN MAXVALUE)`);
    for (const one of ["t_archive_segment", "t_archive_filter"]) await asRoot(service, `TRUNCATE TABLE ${one}`);
  }
  await asRoot("wallet", "TRUNCATE TABLE t_trade_archive_sum");
});

/** Trades of some users, one a row; an INSERT for each time. Every third one is a recharge, every fifth one rejected. */
async function trades(...inserts: [time: string, count: number][]): Promise<void> {
  let n = Number((await rows<{ n: string }>("wallet", `SELECT COUNT(*) AS n FROM ${table}`))[0]?.n);
  for (const [time, count] of inserts) {
    const values = Array.from({ length: count }, () => {
      n++;
      const [type, num] = n % 3 === 0 ? [1, 30] : [0, -10];
      return [
        1 + (n % 4),
        num,
        type,
        n % 5 === 0 ? 0 : 1,
        `biz-${n}`,
        type === 0 ? 77 : null,
        500,
        n,
        null,
        time,
        time,
      ];
    });
    await asRoot(
      "wallet",
      `INSERT INTO ${table} (user_id, num, type, status, biz_id, counterparty_id, counterparty_income_points,
         balance_after, reason, create_time, update_time) VALUES ?`,
      [values],
    );
  }
}

const january = "2026-01-10 12:00:00.000";
const february = "2026-02-10 12:00:00.000";
/** As UTC_TIMESTAMP(3) would be written. */
const written = (time: Date) => time.toISOString().slice(0, 23).replace("T", " ");
/** Yesterday: of a month that goes on, or has ended just now. */
const recent = written(new Date(Date.now() - 86_400_000));
const ids = async (from: string) =>
  (await rows<{ id: string }>("wallet", `SELECT id FROM ${from} ORDER BY id`)).map(({ id }) => Number(id));
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);
const everyTrade = `SELECT ${archivedTrades.columns.join(", ")} FROM`;

/** What archived trades and the sums of their users must be at every moment. */
async function expectConsistent(before: unknown): Promise<void> {
  expect(
    await rows("wallet", `SELECT * FROM (${everyTrade} ${table} UNION ALL ${everyTrade} ${archive}) a ORDER BY id`),
  ).toEqual(before);
  expect(
    await rows(
      "wallet",
      `SELECT user_id, COUNT(*) AS trades, SUM(IF(status = 1, num, 0)) AS num,
         SUM(IF(status = 1 AND type = 1, num, 0)) AS charged, MAX(id) AS last_id FROM ${archive} GROUP BY user_id ORDER BY 1`,
    ),
  ).toEqual(await rows("wallet", "SELECT user_id, trades, num, charged, last_id FROM t_trade_archive_sum ORDER BY 1"));
}

test("closed months are moved with their ids, month by month, and what is young stays", async () => {
  await trades(
    [january, 5],
    ["2026-01-31 15:59:59.999", 1],
    ["2026-01-31 16:00:00.000", 2],
    [february, 3],
    [recent, 4],
  );
  const before = await rows("wallet", `${everyTrade} ${table} ORDER BY id`);
  const mover = moverOf(archivedTrades);
  expect(await stepsUntil(mover)).toEqual([
    ...["planned", "partitioned", "filtered", "emptying", "emptying", "emptying", "closed"],
    ...["planned", "partitioned", "filtered", "emptying", "emptying", "emptying", "closed"],
    "nothing",
  ]);
  // The month ends at midnight in Shanghai.
  expect(await segmentsOf(archivedTrades)).toMatchObject([
    { segment: 1, from: 0n, to: 7n, movedTo: 7n, month: "2026-01", state: "closed" },
    { segment: 2, from: 7n, to: 12n, movedTo: 12n, month: "2026-02", state: "closed" },
  ]);
  expect([await ids(archive), await ids(table)]).toEqual([range(1, 11), range(12, 15)]);
  await expectConsistent(before);
  const partitions = await rows<{ name: string; n: string }>(
    "wallet",
    "SELECT partition_name AS name FROM information_schema.partitions WHERE table_schema = DATABASE() AND table_name = ?",
    [archive],
  );
  expect(partitions.map(({ name }) => name)).toEqual(["p1", "p2", "p_rest"]);
});

test("a segment ends between two INSERTs, and the newest INSERT of the table is never moved", async () => {
  await trades([january, 3], ["2026-01-11 00:00:00.000", 3], ["2026-01-12 00:00:00.000", 3]);
  await archiveAll(archivedTrades, { segmentRows: 4 });
  expect(await segmentsOf(archivedTrades)).toMatchObject([{ from: 0n, to: 7n, state: "closed" }]);
  expect([await ids(archive), await ids(table)]).toEqual([range(1, 6), [7, 8, 9]]);
  await archiveAll(archivedTrades, { segmentRows: 4 });
  expect(await ids(table)).toEqual([7, 8, 9]);
});

test("a month that ended fewer days ago than it should stays", async () => {
  const [now] = await rows<{ now_time: Date }>("wallet", "SELECT UTC_TIMESTAMP(3) - INTERVAL 40 DAY AS now_time");
  await trades([written((now as { now_time: Date }).now_time), 3], [recent, 1]);
  expect(await stepsUntil(moverOf(archivedTrades, { afterDays: 60 }))).toEqual(["nothing"]);
  expect(await ids(archive)).toEqual([]);
});

const steps = ["planned", "partitioned", "filtered", "emptying", "closed"] as const;
test.each(steps)(
  "after a crash as soon as a segment is %s another mover goes on, and nothing is lost or doubled",
  async (at) => {
    await trades([january, 7], [recent, 2]);
    const before = await rows("wallet", `${everyTrade} ${table} ORDER BY id`);
    const crashing = moverOf(archivedTrades, {
      reached(step) {
        if (step === at) throw new Error("crash");
      },
    });
    await expect(stepsUntil(crashing)).rejects.toThrow("crash");
    await expectConsistent(before);
    await archiveAll(archivedTrades);
    expect([await ids(archive), await ids(table)]).toEqual([range(1, 7), [8, 9]]);
    await expectConsistent(before);
  },
);

test("two movers at once move each row once", async () => {
  await trades([january, 40], [february, 40], [recent, 2]);
  const before = await rows("wallet", `${everyTrade} ${table} ORDER BY id`);
  const ends = await Promise.allSettled([stepsUntil(moverOf(archivedTrades)), stepsUntil(moverOf(archivedTrades))]);
  expect(ends.some(({ status }) => status === "fulfilled")).toBe(true);
  await archiveAll(archivedTrades);
  expect(await ids(archive)).toEqual(range(1, 80));
  await expectConsistent(before);
});

test("nothing is filtered while a node runs that knows no archive", async () => {
  await trades([january, 3], [recent, 1]);
  expect(await moverStops("old-node runs")).toMatchObject({ did: "waits", why: expect.stringContaining("old-node") });
  expect(await rows("wallet", "SELECT * FROM t_archive_filter")).toEqual([]);
});

test("no row is moved where such a node is found later", async () => {
  await trades([january, 3], [recent, 1]);
  await stepsUntil(moverOf(archivedTrades), "filtered");
  expect(await moverStops("old-node runs")).toMatchObject({ did: "waits" });
  expect(await ids(archive)).toEqual([]);
});

async function moverStops(obstacle: string) {
  const mover = moverOf(archivedTrades, { obstacle: () => obstacle });
  for (;;) {
    const step = await mover.step();
    if (step.did === "waits" || step.did === "nothing") return step;
  }
}

test("rows are moved once nodes had time to load the filter", async () => {
  await trades([january, 3], [recent, 1]);
  const mover = moverOf(archivedTrades, { settleMs: 60_000 });
  await stepsUntil(mover, "filtered");
  expect(await mover.step()).toMatchObject({ did: "waits" });
  expect(await ids(archive)).toEqual([]);
});

test("what is moved is counted and sealed before, and a segment whose rows differ afterwards stays open", async () => {
  await trades([january, 6], [recent, 1]);
  const mover = moverOf(archivedTrades);
  await stepsUntil(mover, "emptying");
  await asRoot("wallet", `UPDATE ${archive} SET num = num + 1 WHERE id = 1`);
  await expect(stepsUntil(mover)).rejects.toThrow("sum: 31, not 30; the rows are others");
  await asRoot("wallet", `UPDATE ${archive} SET num = num - 1 WHERE id = 1`);
  await archiveAll(archivedTrades);
  const [segment] = await segmentsOf(archivedTrades);
  const sealed = await readSealed(databaseOf(archivedTrades), segment as NonNullable<typeof segment>);
  expect(sealed).toMatchObject({ count: { rows: 6n, sum: 30n } });
  const keys = bookKeys("archiver");
  const known = sealed as NonNullable<typeof sealed>;
  expect(verdictOfSegment(keys, known, known)).toBe("valid");
  expect(verdictOfSegment(keys, { ...known, count: { ...known.count, sum: 31n } }, known)).toBe("wrong");
});

test("a step that needs the revision gives up within seconds where a transaction hangs, waits, and charges go on", async () => {
  await trades([january, 3], [recent, 1]);
  const mover = moverOf(archivedTrades, { lockPauseMs: 60_000 });
  await stepsUntil(mover, "partitioned");
  const hung = await createConnection({ uri: config().MYSQL_URL, database: databaseName("wallet") });
  try {
    await hung.query("START TRANSACTION");
    await hung.query("SELECT revision FROM t_archive_revision WHERE table_name = ? LOCK IN SHARE MODE", [table]);
    const startedAt = performance.now();
    const step = mover.step();
    expect(await step).toMatchObject({ did: "waits", why: expect.stringContaining("holds the revision") });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    // Another transaction of the ledger gets the lock at once.
    await asRoot("wallet", "SELECT revision FROM t_archive_revision WHERE table_name = ? LOCK IN SHARE MODE", [table]);
    expect(await mover.step()).toMatchObject({ did: "waits" });
    expect(await segmentsOf(archivedTrades)).toMatchObject([{ state: "planned" }]);
  } finally {
    await hung.end();
  }
  // The filter that was stored before is used by the mover that goes on.
  await archiveAll(archivedTrades);
  expect(await ids(archive)).toEqual(range(1, 3));
});

test("a segment with a business id that is archived already is not filtered", async () => {
  await trades([january, 3], [recent, 1]);
  await archiveAll(archivedTrades);
  await asRoot(
    "wallet",
    `INSERT INTO ${table} (user_id, num, type, status, biz_id, counterparty_income_points, balance_after, create_time,
       update_time) VALUES (1, -10, 0, 1, 'biz-2', 0, 1, ?, ?)`,
    [february, february],
  );
  await asRoot("wallet", `UPDATE ${table} SET create_time = ? WHERE id = 4`, [february]);
  await trades([recent, 1]);
  await expect(stepsUntil(moverOf(archivedTrades))).rejects.toThrow("biz-2 of row 5 is archived as row 2");
  expect((await segmentsOf(archivedTrades)).map(({ state }) => state)).toEqual(["closed", "planned"]);
});

test("no row is moved that the segment's filter lacks", async () => {
  await trades([january, 4], [recent, 1]);
  const mover = moverOf(archivedTrades);
  await stepsUntil(mover, "filtered");
  await asRoot("wallet", `UPDATE ${table} SET biz_id = 'changed' WHERE id = 3`);
  await expect(stepsUntil(mover)).rejects.toThrow("lacks changed");
  expect([await ids(archive), await ids(table)]).toEqual([
    [1, 2],
    [3, 4, 5],
  ]);
});

test("a partition is not made while a transaction holds the archive, and its readers go on", async () => {
  await trades([january, 3], [recent, 1]);
  const mover = moverOf(archivedTrades, { partitionPauseMs: 60_000 });
  await stepsUntil(mover, "planned");
  const hung = await createConnection({ uri: config().MYSQL_URL, database: databaseName("wallet") });
  try {
    await hung.query("START TRANSACTION");
    await hung.query(`SELECT COUNT(*) FROM ${archive}`);
    expect(await mover.step()).toMatchObject({ did: "waits", why: expect.stringContaining("partition") });
    await asRoot("wallet", `SELECT COUNT(*) FROM ${archive}`);
    expect(await mover.step()).toMatchObject({ did: "waits" });
  } finally {
    await hung.end();
  }
  await archiveAll(archivedTrades);
  expect(await ids(archive)).toEqual(range(1, 3));
});

test("business ids are looked up in the partition of their segment, by its index", async () => {
  await trades([january, 300], [february, 300], [recent, 1]);
  await archiveAll(archivedTrades, { sliceRows: 1_000 });
  const seen: [sql: string, values: unknown[]][] = [];
  const query = async (sql: string, values: unknown[]) => {
    seen.push([sql, values]);
    return [];
  };
  const [, second] = await segmentsOf(archivedTrades);
  const place = { from: second?.from ?? 0n, to: second?.to ?? 0n, ids: ["biz-301", "biz-400"], isClosed: true };
  await archivedByKey({ query } as never, archivedTrades, "id, num", [place]);
  const [sql, values] = seen[0] as (typeof seen)[number];
  const plan = await rows<{ partitions: string; key: string; type: string }>(
    "wallet",
    `EXPLAIN PARTITIONS ${sql}`,
    values,
  );
  expect(plan).toMatchObject([{ partitions: "p2", key: "idx_biz_id", type: "range" }]);
  expect((await rows<{ num: string }>("wallet", sql, values)).length).toBe(2);
});

test("gift records are moved with every column, and their derived ones", async () => {
  const values = range(1, 5).map((n) => [
    ...[`order-${n}`, 1, 77, 5, 22, n, 10, n % 2, n % 2 ? null : "balanceShort", 505, "h", january, january],
    ...[n === 3 ? '{"type": 1}' : null],
  ]);
  values.push(["order-6", 1, 77, 5, 22, 1, 10, 1, null, 505, "h", recent, recent, null]);
  for (const one of values)
    await asRoot(
      "gift",
      `INSERT INTO t_gift_record (order_id, user_id, object_id, room_id, gift_id, count, price, status, reason,
         income_points, content_hash, send_time, update_time, json) VALUES (?)`,
      [one],
    );
  const columns = `${archivedRecords.columns.join(", ")}, income`;
  const before = await rows("gift", `SELECT ${columns} FROM t_gift_record WHERE id < 6 ORDER BY id`);
  await archiveAll(archivedRecords);
  expect(await rows("gift", `SELECT ${columns} FROM t_gift_record_archive ORDER BY id`)).toEqual(before);
  expect(await segmentsOf(archivedRecords)).toMatchObject([{ state: "closed", to: 6n }]);
});

test.each(archivedTables)(
  "the archive of $table has its columns, and no unique key that could hide a row",
  async (one) => {
    const columnsOf = (name: string) =>
      rows<{ name: string; type: string; nullable: string; expression: string | null }>(
        one.service,
        `SELECT column_name AS name, column_type AS type, is_nullable AS nullable, generation_expression AS expression
       FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position`,
        [name],
      );
    expect(await columnsOf(one.archive)).toEqual(await columnsOf(one.table));
    const derived = (await columnsOf(one.table)).filter(({ expression }) => expression).map(({ name }) => name);
    expect((await columnsOf(one.table)).map(({ name }) => name).filter((name) => !derived.includes(name))).toEqual([
      ...one.columns,
    ]);
    const unique = `SELECT DISTINCT index_name AS name FROM information_schema.statistics
      WHERE table_schema = DATABASE() AND table_name = ? AND non_unique = 0`;
    expect(await rows(one.service, unique, [one.archive])).toEqual([{ name: "PRIMARY" }]);
  },
);
