import { databaseName } from "../../../config/config.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { migrationFolders } from "../../../services/databases.ts";

/** Reads as of one moment beside statements that change the form of a table. */

let database: Database;
let other: Database;
let retried = 0;

beforeAll(async () => {
  await migrate(databaseName("wallet"), migrationFolders.wallet);
  database = new Database(databaseName("wallet"), { connections: 1, retried: () => retried++ });
  other = new Database(databaseName("wallet"), { connections: 1 });
});
afterAll(async () => {
  await Promise.all([database?.close(), other?.close()]);
});

const archive = "t_qiyu_currency_trade_archive";

test("where a partition is made after the moment and before the table is read, the reads run again as of a later one", async () => {
  let runs = 0;
  const found = await database.snapshot(async (db) => {
    if (runs++ === 0)
      await other.run(
        `ALTER TABLE ${archive} REORGANIZE PARTITION p_rest INTO (
           PARTITION p1 VALUES LESS THAN (10), PARTITION p_rest VALUES LESS THAN MAXVALUE)`,
      );
    return db.query<{ n: string }>(`SELECT COUNT(*) AS n FROM ${archive}`);
  });
  expect([runs, retried, Number(found[0]?.n)]).toEqual([2, 1, 0]);
});

test("an error that is no such one ends the snapshot at once, and its connection goes on", async () => {
  let runs = 0;
  const failing = database.snapshot(async (db) => {
    runs++;
    return db.query("SELECT nothing FROM t_trade_archive_sum");
  });
  await expect(failing).rejects.toMatchObject({ errno: 1054 });
  expect([runs, await database.query("SELECT 1 AS one")]).toEqual([1, [{ one: 1 }]]);
});
