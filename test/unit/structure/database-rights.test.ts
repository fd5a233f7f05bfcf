import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../../config/root.ts";
import { movesRowsIn } from "../../../services/archive-rights.ts";
import { databaseRights, erasableColumns, type TableRight, tableRights } from "../../../services/database-rights.ts";
import { migrationFolders } from "../../../services/databases.ts";

const ofTheMigrator = ["mixins/mysql/migrate.ts", "mixins/mysql/record-applied.ts"];
/** The SQL of the mover runs with the archiver's login, whose rights in other databases are its own. */
const ofTheArchiver = ["mixins/archive/segment-store.ts", "mixins/archive/hot-rows-store.ts"];

type DatabaseService = keyof typeof migrationFolders;
const services = Object.keys(migrationFolders) as DatabaseService[];

const read = (path: string) => readFileSync(join(projectRoot(), path), "utf8");
const filesOf = (folder: string, ending: string) =>
  (readdirSync(join(projectRoot(), folder), { recursive: true }) as string[])
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}/${file}`);

const tablesOf = (service: DatabaseService) =>
  ["mixins/mysql/base-tables.sql", ...migrationFolders[service].flatMap((folder) => filesOf(folder, ".sql"))]
    .flatMap((file) => [...read(file).matchAll(/^CREATE TABLE IF NOT EXISTS (t_\w+)/gm)])
    .map(([, table]) => table as string);

/** The statements by what they need beside SELECT, with the table. */
const needs: readonly [privilege: string, statement: RegExp][] = [
  ["INSERT", /\bINSERT\s+(?:IGNORE\s+)?INTO\s+(t_\w+)/g],
  ["UPDATE", /\bUPDATE\s+(t_\w+)/g],
  ["UPDATE", /\bINTO\s+(t_\w+)[^;`"]*ON DUPLICATE KEY UPDATE/g],
  // A share lock in comments for each server is taken with SELECT alone (mixins/archive/segment-store.ts).
  ["UPDATE", /\bFROM\s+(t_\w+)[^;`"]*(?:FOR UPDATE|(?<!M! )LOCK IN SHARE MODE|(?<!80000 )FOR SHARE)/g],
  ["DELETE", /\bDELETE FROM\s+(t_\w+)/g],
];
const sources = [...filesOf("services", ".ts"), ...filesOf("mixins", ".ts")].map((path) => ({
  path,
  // Placeholders in template strings have no backticks in the way.
  text: read(path).replaceAll(/\$\{[^{}]*\}/g, "?"),
}));
const statements = sources.flatMap(({ path, text }) =>
  needs.flatMap(([privilege, pattern]) =>
    [...text.matchAll(pattern)].map(([, table]) => ({ path, table: table as string, privilege })),
  ),
);
const rightsOn = (table: string) =>
  services.flatMap((service) => (databaseRights[service][table] ? [databaseRights[service][table]] : []));

/** Readers and writers share a file: who locks the revision may only read it. */
const archiverMay = (table: string, privilege: string) =>
  table === "t_archive_revision" ||
  Object.values(movesRowsIn.archiver ?? {}).some((tables) =>
    tables[table]?.some((one) => one === privilege || one.startsWith(`${privilege} (`)),
  );

describe("the rights of the services' logins", () => {
  test.each(services)("of %s are written down for each of its tables, and for no other", (service) => {
    expect(Object.keys(databaseRights[service]).sort()).toEqual([...new Set(tablesOf(service))].sort());
  });

  test("suffice for every statement of the services, and a table has the same right wherever it is", () => {
    expect(statements.length).toBeGreaterThan(60);
    const beyond = statements.filter(({ path, table, privilege }) => {
      // The migrator writes with its own login.
      if (ofTheMigrator.includes(path)) return false;
      if (ofTheArchiver.includes(path)) return !archiverMay(table, privilege);
      const rights = rightsOn(table);
      expect([table, new Set(rights).size]).toEqual([table, 1]);
      if (privilege === "UPDATE" && erasableColumns[table]) return false;
      return !(tableRights[rights[0] as TableRight] as readonly string[]).includes(privilege);
    });
    expect(beyond).toEqual([]);
  });

  test("let texts that may be erased be emptied, and nothing else be done to their rows", () => {
    const updates = sources.flatMap(({ text }) =>
      [...text.matchAll(/\bUPDATE\s+(t_\w+)\s+SET\s+([^`"]*?)\s+WHERE/g)].flatMap(([, table, set]) =>
        erasableColumns[table as string] ? [[table as string, set as string] as const] : [],
      ),
    );
    expect([...new Set(updates.map(([table]) => table))].sort()).toEqual(Object.keys(erasableColumns).sort());
    const wrong = updates.filter(([table, set]) =>
      set.split(",").some((one) => {
        const [column = "", value] = one.trim().split(/\s*=\s*/);
        return !erasableColumns[table]?.includes(column) || (value !== "NULL" && value !== "''");
      }),
    );
    expect(wrong).toEqual([]);
  });

  test("let nobody change or remove a row of the ledgers, the audits and the records", () => {
    const append = ["t_qiyu_currency_trade", "t_wallet_debt", "t_income_posting", "t_income_hold_gift"];
    append.push(
      "t_gift_record",
      "t_anchor_share",
      "t_operator_audit",
      "t_pay_webhook",
      "t_cashier_refund",
      "t_money_order",
    );
    expect(append.filter((table) => rightsOn(table).some((right) => right !== "add"))).toEqual([]);
  });

  test("let the archiver alone remove rows of the ledger and the records, and write none there", () => {
    const moved = Object.values(movesRowsIn.archiver ?? {}).flatMap((tables) =>
      Object.entries(tables).filter(([, privileges]) => privileges.includes("DELETE")),
    );
    expect(moved).toEqual([
      ["t_qiyu_currency_trade", ["SELECT", "DELETE"]],
      ["t_gift_record", ["SELECT", "DELETE"]],
    ]);
    const written = ["t_qiyu_currency_trade_archive", "t_gift_record_archive", "t_trade_archive_sum"];
    expect(written.filter((table) => rightsOn(table).some((right) => right !== "read"))).toEqual([]);
  });

  test("delete where a statement of a service does, and nowhere else", () => {
    const deleted = new Set(statements.filter(({ privilege }) => privilege === "DELETE").map(({ table }) => table));
    const all = services.flatMap((service) =>
      Object.entries(databaseRights[service]).flatMap(([table, right]) =>
        (tableRights[right] as readonly string[]).includes("DELETE") ? [table] : [],
      ),
    );
    expect([...new Set(all)].sort()).toEqual([...deleted].sort());
  });
});

test("nothing inserts with IGNORE, which would hide a CHECK or a range that a row breaks", () => {
  expect(sources.filter(({ text }) => /\bINSERT IGNORE\b|\bREPLACE INTO\b|ignoreDuplicates/.test(text))).toEqual(
    sources.filter(({ path }) => path === "mixins/mysql/migrate.ts"),
  );
});
