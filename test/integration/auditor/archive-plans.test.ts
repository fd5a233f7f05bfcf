import { databaseName } from "../../../config/config.ts";
import { Database, type Queryable } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { archivedRecords, archivedTrades } from "../../../services/archived-tables.ts";
import { checksOf, runCheck } from "../../../services/auditor/comparison.ts";
import { allBookKeys } from "../../../services/book-keys.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { onDay, TestMover } from "./archiving.ts";
import { openDatabases } from "./bookkeeping.ts";

/** How the server reads the ledger, the records and their archives for the comparison of the books. */

jest.setTimeout(300_000);

/** 200,000 in the test that is run by hand. */
const gifts = Number(process.env.ARCHIVE_PLAN_ROWS ?? 30_000);

interface Read {
  readonly sql: string;
  readonly table: string;
  readonly type: string | null;
  readonly key: string | null;
  readonly partitions: string[];
}
const reads: Read[] = [];
let books: Database;
let own: Database;

/** The database with the plans of its statements noted. */
function explained(db: Queryable): Queryable {
  return {
    run: (sql, values) => db.run(sql, values),
    async query<Row extends object>(sql: string, values: unknown[] = []) {
      const plans = await db.query<
        Omit<Read, "sql" | "partitions" | "table"> & { table: string; partitions: string | null }
      >(`EXPLAIN PARTITIONS ${sql}`, values);
      for (const { table, type, key, partitions } of plans)
        if (table && !table.startsWith("<"))
          reads.push({ sql, table, type, key, partitions: partitions?.split(",") ?? [] });
      return db.query<Row>(sql, values);
    },
  };
}

const explaining = (db: Database) =>
  ({
    ...explained(db),
    snapshot: <T>(read: (db: Queryable) => Promise<T>, settings?: readonly string[]) =>
      db.snapshot((snapshot) => read(explained(snapshot)), settings),
  }) as unknown as Database;

async function fill(): Promise<void> {
  const connection = await openDatabases();
  const digit =
    "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";
  const n = "(a.d + b.d * 10 + c.d * 100 + d.d * 1000 + e.d * 10000 + f.d * 100000)";
  const numbers = `(SELECT ${n} AS n FROM ${["a", "b", "c", "d", "e", "f"].map((name) => `${digit} ${name}`).join(", ")} WHERE ${n} < ${gifts})`;
  const time = "'2026-01-01' + INTERVAL n * 10 SECOND";
  const id = "SHA1(n)";
  await connection.query(
    `INSERT INTO t_qiyu_currency_trade (id, user_id, num, type, status, biz_id, counterparty_id, counterparty_income_points,
       balance_after, create_time, update_time)
     SELECT 1 + n, 1 + n MOD 997, -1, 0, 1, ${id}, 5000 + n MOD 97, 50, 0, ${time}, ${time} FROM ${numbers} n ORDER BY n`,
  );
  await connection.query(
    `INSERT INTO ${databaseName("gift")}.t_gift_record (id, order_id, user_id, object_id, room_id, gift_id, count, price, status,
       income_points, content_hash, send_time, update_time)
     SELECT 1 + n, ${id}, 1 + n MOD 997, 5000 + n MOD 97, 1, 22, 1, 1, 1, 50, 'h', ${time}, ${time} FROM ${numbers} n ORDER BY n`,
  );
  await connection.query(
    `INSERT INTO t_qiyu_currency_account (user_id, current_balance) SELECT n + 1, 0 FROM ${numbers} n WHERE n < 997`,
  );
  await connection.query("ANALYZE TABLE t_qiyu_currency_trade, t_qiyu_currency_account");
  await connection.query(`ANALYZE TABLE ${databaseName("gift")}.t_gift_record`);
  await connection.end();
}

beforeAll(async () => {
  await fill();
  await migrate(databaseName("auditor"), migrationFolders.auditor);
  books = new Database(databaseName("wallet"), { connections: 2 });
  own = new Database(databaseName("auditor"), { connections: 1 });
  // Four of five segments are archived, and the last one is being moved.
  for (const table of [archivedTrades, archivedRecords]) {
    const mover = new TestMover(table, { segmentRows: Math.ceil(gifts / 5), sliceRows: 5_000 });
    for (let segments = 0; segments < 4; segments++) await mover.until("closed");
    await mover.until("emptying");
    await mover.close();
  }
});
afterAll(async () => {
  await Promise.all([books?.close(), own?.close()]);
});

const archives: readonly string[] = [archivedTrades.archive, archivedRecords.archive];
const isBook = (table: string) => archives.some((archive) => table === archive || `${table}_archive` === archive);

test.each([
  ["of verify", true],
  ["of a pass", false],
])("no check %s reads a book as a whole, and ranges of ids read the partitions that have them", async (_, everyRow) => {
  reads.length = 0;
  const ports = { secondLookMs: 1, isKnown: () => true, found: async () => true, pageDone: async () => {} };
  const checks = checksOf({
    books: explaining(books),
    own: { seen: own, audit: own },
    keys: allBookKeys(),
    everyRow,
    underWayMs: 1,
  });
  const took: [string, number][] = [];
  await onDay(everyRow ? 0 : 9, async () => {
    for (const check of checks) {
      if (!check.passes) continue;
      const began = performance.now();
      await runCheck(check, null, ports);
      took.push([check.name, Math.round(performance.now() - began)]);
    }
  });
  if (gifts >= 200_000) console.log(JSON.stringify(took.filter(([, ms]) => ms > 50)));
  // The last ids of a table, the first one from an id on, and rows after the last seal: these rows have none.
  const ends = /MAX\(id\) FROM|ORDER BY id (DESC )?LIMIT 1$|AND id <= 18446744073709551615/;
  const ofBooks = reads.filter(({ table, sql }) => isBook(table) && !ends.test(sql));
  expect(ofBooks.length).toBeGreaterThan(20);
  expect(ofBooks.filter(({ type, key }) => key === null || type === "ALL" || type === "index")).toEqual([]);
  // A page is about a partition: it may begin in one, end in the next, and meet the empty last one.
  const ranges = ofBooks.filter(({ table, key }) => archives.includes(table) && key === "PRIMARY");
  expect(ranges.filter(({ partitions }) => partitions.length > 3)).toEqual([]);
  expect(ranges.length).toBeGreaterThan(10);
});
