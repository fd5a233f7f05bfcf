import { migrationOf } from "../../../mixins/mysql/migration-files.ts";
import { isWider, migrationProblems } from "../../../scripts/migration-rules.ts";

const table = migrationOf(
  "a/0001-first.sql",
  `CREATE TABLE IF NOT EXISTS t_gift (
  id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  -- A comment.
  note VARCHAR(60) NULL,
  amount INT NOT NULL,
  KEY idx_note (note)
);`,
);
const problemsOf = (text: string) => migrationProblems(migrationOf("a/0002-next.sql", text), [table]);
const expand = (sql: string) => problemsOf(`-- expand, release 2\n${sql};`);
const contract = (sql: string, needs = 2) => problemsOf(`-- contract, release 3, needs ${needs}\n${sql};`);

test.each([
  "CREATE TABLE IF NOT EXISTS t_new (id BIGINT NOT NULL PRIMARY KEY, UNIQUE KEY uk (id))",
  "ALTER TABLE t_gift ADD COLUMN more VARCHAR(10) NULL, ALGORITHM=INSTANT",
  "ALTER TABLE t_gift ADD COLUMN more INT NOT NULL DEFAULT 0, ADD COLUMN other TEXT NULL, ALGORITHM=INSTANT",
  "ALTER TABLE t_gift ADD INDEX idx_amount (amount), ALGORITHM=INPLACE, LOCK=NONE",
  "CREATE INDEX idx_amount ON t_gift (amount) ALGORITHM=INPLACE LOCK=NONE",
  "ALTER TABLE t_gift MODIFY COLUMN note VARCHAR(180) NULL, ALGORITHM=INSTANT",
  "ALTER TABLE t_gift MODIFY amount BIGINT NOT NULL, ALGORITHM=INPLACE, LOCK=NONE",
  "INSERT IGNORE INTO t_gift (id, note, amount) VALUES (1, 'DROP; it''s no RENAME', 2)",
])("an expand may: %s", (sql) => {
  expect(expand(sql)).toEqual([]);
});

test.each<[string, RegExp]>([
  ["CREATE TABLE t_new (id BIGINT)", /IF NOT EXISTS/],
  ["INSERT INTO t_gift (id) VALUES (1)", /IGNORE/],
  ["DROP TABLE t_gift", /DROP/],
  ["ALTER TABLE t_gift DROP COLUMN note, ALGORITHM=INSTANT", /DROP/],
  ["ALTER TABLE t_gift RENAME COLUMN note TO text, ALGORITHM=INSTANT", /new name/],
  ["ALTER TABLE t_gift CHANGE note text VARCHAR(60) NULL, ALGORITHM=INSTANT", /new name/],
  ["ALTER TABLE t_gift ADD COLUMN more INT NOT NULL, ALGORITHM=INSTANT", /NOT NULL without DEFAULT/],
  ["ALTER TABLE t_gift ADD more INT NOT NULL, ALGORITHM=INSTANT", /NOT NULL without DEFAULT/],
  ["ALTER TABLE t_gift ADD UNIQUE KEY uk_note (note), ALGORITHM=INPLACE, LOCK=NONE", /may break it/],
  ["ALTER TABLE t_gift ADD CONSTRAINT ck CHECK (amount > 0), ALGORITHM=INPLACE, LOCK=NONE", /may break it/],
  ["ALTER TABLE t_gift MODIFY note VARCHAR(40) NULL, ALGORITHM=INSTANT", /not known to be wider/],
  ["ALTER TABLE t_gift MODIFY note VARCHAR(180) NOT NULL, ALGORITHM=INSTANT", /not known to be wider/],
  ["ALTER TABLE t_gift MODIFY amount TINYINT NOT NULL, ALGORITHM=INSTANT", /not known to be wider/],
  ["ALTER TABLE t_gift ADD COLUMN more INT NULL", /may lock the table/],
  ["ALTER TABLE t_gift ADD INDEX idx_amount (amount), ALGORITHM=INPLACE", /may lock the table/],
  ["UPDATE t_gift SET note = 'x'", /by a job/],
  ["DELETE FROM t_gift", /by a job/],
  ["TRUNCATE TABLE t_gift", /TRUNCATE/],
])("an expand may not: %s", (sql, problem) => {
  const problems = expand(sql);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(problem);
});

test("a contract may remove, a release later, and says how", () => {
  expect(contract("ALTER TABLE t_gift DROP COLUMN note, ALGORITHM=INSTANT")).toEqual([]);
  expect(contract("DROP TABLE t_gift")).toEqual([]);
  expect(contract("ALTER TABLE t_gift DROP COLUMN note")[0]).toMatch(/may lock the table/);
  expect(contract("DROP TABLE t_gift", 3)[0]).toMatch(/nodes of release 2 must run/);
});

test("the first line says what a file is; one that is nearly such a line is refused", () => {
  const kindOf = (text: string) => {
    const { kind, release, needs } = migrationOf("a/0001-x.sql", text);
    return [kind, release, needs];
  };
  expect(kindOf("-- expand, release 3\nSELECT 1;")).toEqual(["expand", 3, 0]);
  expect(kindOf("-- contract, release 4, needs 3\r\nSELECT 1;")).toEqual(["contract", 4, 3]);
  expect(kindOf("-- Gifts.\nSELECT 1;")).toEqual(["expand", 1, 0]);
  expect(() => kindOf("-- contract, release 4\nSELECT 1;")).toThrow(/first line/);
  expect(() => kindOf("-- Expand release 4\nSELECT 1;")).toThrow(/first line/);
});

test("a wider type holds every value, and changes nothing else", () => {
  expect(isWider("VARCHAR(60) NULL", "VARCHAR(60) NULL")).toBe(true);
  expect(isWider("INT UNSIGNED NOT NULL", "BIGINT UNSIGNED NOT NULL")).toBe(true);
  expect(isWider("INT UNSIGNED NOT NULL", "BIGINT NOT NULL")).toBe(false);
  expect(isWider("BIGINT", "INT")).toBe(false);
  expect(isWider("VARCHAR(60)", "TEXT")).toBe(false);
});
