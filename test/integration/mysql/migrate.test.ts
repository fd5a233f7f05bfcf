import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { release } from "../../../config/release.ts";
import { projectRoot } from "../../../config/root.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { DatabaseLease } from "../../../mixins/mysql/database-lease.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { recordApplied } from "../../../mixins/mysql/record-applied.ts";
import { requireSchema } from "../../../mixins/mysql/schema.ts";
import { type CuttableServer, cuttable } from "../../support/cuttable-server.ts";
import { eventually, stopAll } from "../../support/system.ts";
import { whileRunning } from "../../support/while-running.ts";

const folder = mkdtempSync(join(tmpdir(), "migrations-"));
let name: string;
let address: CuttableServer;
let mysql: Database;
let files = 0;

beforeAll(async () => {
  address = await cuttable(process.env.MYSQL_URL as string);
  process.env.MYSQL_URL = address.url;
  name = databaseName("migrate");
  await migrate(name, []);
  mysql = new Database(name);
  await mysql.run("CREATE TABLE t_applied (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, step VARCHAR(20))");
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await mysql.close();
  await stopAll();
  await address.close();
});

/** Writes a new migration of these statements and returns the folders to migrate from. */
function newMigration(...statements: string[]): string[] {
  return migrationWith("", ...statements);
}
function migrationWith(header: string, ...statements: string[]): string[] {
  const file = `${String(++files).padStart(4, "0")}-step.sql`;
  writeFileSync(join(folder, file), header + statements.map((statement) => `${statement};\n`).join(""));
  return [relative(projectRoot(), folder)];
}
const step = (of: string) => `INSERT INTO t_applied (step) VALUES ('${of}')`;
const sleep = (seconds: number) => `INSERT INTO t_applied (step) SELECT 'slept' FROM (SELECT SLEEP(${seconds})) slept`;
/** Until a statement sleeps: the row of the statement before it is seen earlier than its answer. */
const asleep = () =>
  eventually("the statement that sleeps", async () => {
    const sql = "SELECT id FROM information_schema.processlist WHERE db = ? AND info LIKE '%slept%SLEEP(%'";
    return (await mysql.query(`${sql} AND id <> CONNECTION_ID()`, [name])).length === 1;
  });
const applied = async (of: string) => (await mysql.query("SELECT id FROM t_applied WHERE step = ?", [of])).length;
const holder = async () =>
  (await mysql.query<{ holder: string }>("SELECT holder FROM t_lease WHERE name = 'migration'"))[0]?.holder;
const outcome = (work: Promise<unknown>) => work.catch((error: Error) => error.message);
const times = (leaseMs: number, waitMs = 20_000) => ({ leaseMs, waitMs });

test("of many nodes that migrate at once one does it, however long a statement takes, and the others find it done", async () => {
  const folders = newMigration(step("first"), sleep(3.5), step("second"));
  const done = await Promise.all([1, 2, 3].map(() => migrate(name, folders, times(1_500))));
  expect(done.flat()).toEqual([`${folders[0]}/0001-step.sql`]);
  expect([await applied("first"), await applied("second")]).toEqual([1, 1]);
  await expect(requireSchema(mysql, folders)).resolves.toBe(1);
});

test("a node that is behind does not start, and one whose migration was changed afterwards neither", async () => {
  const folders = newMigration(step("behind"));
  expect(await outcome(requireSchema(mysql, folders))).toMatch(/lacks .*step\.sql: run "npm run migrate"/);
  await migrate(name, folders);
  writeFileSync(join(folder, `${String(files).padStart(4, "0")}-step.sql`), `${step("changed")};`);
  expect(await outcome(migrate(name, folders))).toMatch(/was changed after it was applied/);
  expect(await applied("changed")).toBe(0);
  writeFileSync(join(folder, `${String(files).padStart(4, "0")}-step.sql`), `${step("behind")};\n`);
});

test("a node that died is waited for no longer than its lease", async () => {
  const folders = newMigration(step("after a death"));
  const dead = new DatabaseLease({ mysql, name: "migration", holder: "a-dead-node", ms: 800 });
  const begun = performance.now();
  expect(await dead.hold()).toBe(true);
  expect(await migrate(name, folders, times(60_000))).toHaveLength(1);
  expect(performance.now() - begun).toBeGreaterThan(780);
  expect(await applied("after a death")).toBe(1);
});

test("a migration that another node runs for too long is an error, and nothing was done", async () => {
  const folders = newMigration(step("elsewhere"));
  const other = new DatabaseLease({ mysql, name: "migration", holder: "another-node", ms: 60_000 });
  await other.hold();
  expect(await outcome(migrate(name, folders, times(1_000, 300)))).toMatch(
    /Another node has been migrating .* for 0.3 s/,
  );
  expect(await applied("elsewhere")).toBe(0);
  await other.giveBack();
  await migrate(name, folders);
});

test("a node that lost its lease stops before its next statement", async () => {
  const folders = newMigration(step("before"), sleep(1), step("after"));
  const migrating = outcome(migrate(name, folders, times(60_000)));
  await asleep();
  await mysql.run("UPDATE t_lease SET holder = 'another-node', until_time = UTC_TIMESTAMP(3) WHERE name = 'migration'");
  expect(await migrating).toMatch(/Another node took the lease/);
  expect(await applied("after")).toBe(0);
  expect(await migrate(name, folders)).toHaveLength(1);
  expect(await applied("after")).toBe(1);
});

test("a statement that fails is named, and the lease is free at once for the next try", async () => {
  const folders = newMigration(step("half"), "INSERT INTO t_nowhere VALUES (1)");
  expect(await outcome(migrate(name, folders, times(60_000)))).toMatch(/failed at: INSERT INTO t_nowhere/);
  const file = join(folder, `${String(files).padStart(4, "0")}-step.sql`);
  writeFileSync(file, `${step("whole")};\n`);
  expect(await migrate(name, folders, times(60_000, 0))).toHaveLength(1);
  expect(await applied("whole")).toBe(1);
  expect(await holder()).not.toBe("another-node");
});

test("a server that goes away during a statement: the statement is named, not the lease that could not be given back", async () => {
  const folders = newMigration(step("cut"), sleep(3));
  const migrating = outcome(migrate(name, folders, times(300)));
  await asleep();
  address.cut();
  const found = await migrating;
  address.mend();
  expect(await applied("cut")).toBe(1);
  expect(found).toMatch(/failed at: INSERT INTO t_applied .* SLEEP/);
  writeFileSync(join(folder, `${String(files).padStart(4, "0")}-step.sql`), `${step("not cut")};\n`);
  expect(await migrate(name, folders)).toHaveLength(1);
});

test("a migration that was applied is a success, also where its lease cannot be given back", async () => {
  const folders = newMigration(step("kept"));
  const begun = performance.now();
  await mysql.run(`CREATE TRIGGER kept BEFORE UPDATE ON t_lease FOR EACH ROW
    IF NEW.until_time <= UTC_TIMESTAMP(3) THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not given back'; END IF`);
  try {
    expect(await migrate(name, folders, times(500))).toHaveLength(1);
  } finally {
    await mysql.run("DROP TRIGGER kept");
  }
  expect(await applied("kept")).toBe(1);
  expect(await migrate(name, newMigration(step("next")))).toHaveLength(1);
  expect(performance.now() - begun).toBeGreaterThan(480);
});

test("a contract waits until it is asked for; from its beginning on a node that is too old for it does not start", async () => {
  const next = release + 1;
  const folders = migrationWith(
    `-- contract, release ${next + 1}, needs ${next}\n`,
    step("half"),
    "INSERT INTO t_nowhere VALUES (1)",
  );
  const file = join(folder, `${String(files).padStart(4, "0")}-step.sql`);
  expect(await migrate(name, folders)).toEqual([]);
  expect(await requireSchema(mysql, folders)).toBeGreaterThanOrEqual(1);
  expect(await outcome(migrate(name, folders, undefined, undefined, true))).toMatch(/failed at: INSERT INTO t_nowhere/);
  // The files of this release do not have it.
  rmSync(file);
  expect(await outcome(requireSchema(mysql, folders))).toMatch(
    /is too new for this node: .*step\.sql removed what nodes before/,
  );
  writeFileSync(file, `-- contract, release ${next + 1}, needs ${next}\n${step("whole contract")};\n`);
  expect(await migrate(name, folders, undefined, undefined, true)).toHaveLength(1);
  expect(await applied("whole contract")).toBe(1);
  await mysql.run("DELETE FROM t_migration_release WHERE needs_release > 0");
});

test("a statement waits for the locks of running transactions only for a second at a time: others go on with the table", async () => {
  await mysql.run("CREATE TABLE t_used (id INT NOT NULL PRIMARY KEY)");
  const folders = newMigration("ALTER TABLE t_used ADD COLUMN note VARCHAR(10) NULL, ALGORITHM=INSTANT");
  let slowest = 0;
  const held = Promise.withResolvers<void>();
  const holding = mysql.transaction(async (tx) => {
    await tx.query("SELECT id FROM t_used");
    await held.promise;
  });
  const migrating = migrate(name, folders);
  const using = async (isOver: () => boolean) => {
    for (; !isOver(); await new Promise((resolve) => setTimeout(resolve, 20))) {
      const begun = performance.now();
      await mysql.query("SELECT id FROM t_used");
      slowest = Math.max(slowest, performance.now() - begun);
    }
  };
  await whileRunning(using, async () => {
    await eventually("the statement has waited for the lock, and waits again", () => slowest > 700);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    held.resolve();
    await holding;
    expect(await migrating).toHaveLength(1);
  });
  expect(slowest).toBeLessThan(limits.mysql.migrationLockWaitS * 1_000 + 5_000);
});

test("what an interrupted migration has done already is not an error of its repeat; of a first run it is one", async () => {
  await mysql.run("CREATE TABLE t_half (id INT NOT NULL PRIMARY KEY, there INT NULL)");
  const adds = (column: string) => `ALTER TABLE t_half ADD COLUMN ${column} INT NULL`;
  expect(await outcome(migrate(name, newMigration(adds("there"))))).toMatch(
    /failed at: ALTER TABLE t_half ADD COLUMN there/,
  );
  const file = join(folder, `${String(files).padStart(4, "0")}-step.sql`);
  writeFileSync(file, `${adds("more")};\n`);
  const folders = [relative(projectRoot(), folder)];
  await mysql.run("ALTER TABLE t_half ADD COLUMN more INT NULL");
  expect(await migrate(name, folders)).toHaveLength(1);
});

test("a migration that was applied by hand is recorded once and not applied again, whoever asks; an unknown one is refused", async () => {
  const folders = newMigration(step("by hand"));
  const migration = `${folders[0]}/${String(files).padStart(4, "0")}-step.sql`;
  expect(await recordApplied(name, folders, migration)).toBe(true);
  expect(await recordApplied(name, folders, migration)).toBe(false);
  expect(await migrate(name, folders)).not.toContain(migration);
  expect(await applied("by hand")).toBe(0);
  await mysql.run("UPDATE t_migration SET checksum = ? WHERE name = ?", ["0".repeat(64), migration]);
  await expect(recordApplied(name, folders, migration)).rejects.toThrow(/was changed after it was applied/);
  await mysql.run("DELETE FROM t_migration WHERE name = ?", [migration]);
  await expect(recordApplied(name, folders, `${folders[0]}/9999-none.sql`)).rejects.toThrow(/no migration/);
  expect(await migrate(name, folders)).toContain(migration);
});
