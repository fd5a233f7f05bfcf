import type { Migration } from "../mixins/mysql/migration-files.ts";

/**
 * What a migration may do to tables that nodes use at the same time, by its text. Pure. A table that the same file
 * creates is nobody's yet.
 */

const createsTable = /^CREATE\s+TABLE\s+IF\s+NOT\s+EXISTS\s+`?([a-z_]+)`?/i;
const tableOf = (statement: string) =>
  /\b(?:ALTER\s+TABLE|INTO|UPDATE|FROM|ON|RENAME\s+TABLE|TRUNCATE(?:\s+TABLE)?|DROP\s+TABLE(?:\s+IF\s+EXISTS)?)\s+`?([a-z_]+)`?/i.exec(
    statement,
  )?.[1];

/** Without comments, on one line. */
const bare = (statement: string) =>
  statement
    .replace(/--.*$/gm, "")
    .replace(/'(?:[^'\\]|\\.|'')*'/g, "''")
    .replace(/\s+/g, " ")
    .trim();

/** The server refuses such a statement where it cannot do it beside running statements. */
const saysHow = /ALGORITHM ?= ?(INSTANT|NOCOPY)\b|ALGORITHM ?= ?INPLACE\b.*LOCK ?= ?NONE\b/i;

/** What no expand does: it takes away what nodes of the release before use, or refuses what they write. */
const removals: readonly (readonly [RegExp, string])[] = [
  [/\bDROP\b/i, "DROP removes what nodes of the release before use"],
  [/\bRENAME\b|\bCHANGE\b/i, "a new name is unknown to nodes of the release before"],
  [/\bTRUNCATE\b/i, "TRUNCATE removes rows"],
  [/^(DELETE|UPDATE|REPLACE)\b/i, "rows are changed by a job of the service, in small steps, not by a migration"],
  [
    /\bADD (UNIQUE|CONSTRAINT|CHECK|FOREIGN KEY|PRIMARY KEY)\b|^CREATE UNIQUE\b/i,
    "rows that nodes of the release before write may break it",
  ],
];

/** The columns that an ALTER adds, each with what follows its name. */
const addedColumns = (sql: string): string[] =>
  [
    ...sql.matchAll(
      /\bADD (?:COLUMN )?(?:IF NOT EXISTS )?`?(?!INDEX\b|KEY\b|UNIQUE\b|CONSTRAINT\b|FULLTEXT\b|COLUMN\b)([a-z_]+`? [^,]*(?:\([^)]*\)[^,]*)*)/gi,
    ),
  ].map(([, column]) => column as string);

const isFilled = (column: string) =>
  !/\bNOT NULL\b/i.test(column) || /\bDEFAULT\b|\bAUTO_INCREMENT\b|\bAS ?\(/i.test(column);

const integers = ["TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT"];

interface ColumnType {
  readonly name: string;
  readonly length: number;
  readonly rest: string;
}

function readType(text: string): ColumnType {
  const [, name = "", length = "0", rest = ""] = /^([A-Z]+)(?: ?\((\d+)\))?(.*)$/i.exec(text.trim()) ?? [];
  return { name: name.toUpperCase(), length: Number(length), rest: rest.replace(/,$/, "").trim().toUpperCase() };
}

/** Whether every value of the old type fits, and what else is said of the column stays. */
export function isWider(from: string, to: string): boolean {
  const [old, next] = [readType(from), readType(to)];
  if (old.rest !== next.rest) return false;
  if (old.name === next.name) return next.length >= old.length;
  const [was, is] = [integers.indexOf(old.name), integers.indexOf(next.name)];
  return was >= 0 && is >= was;
}

/** A column's definition as the files before have it last; `undefined` where none has it. */
function definitionOf(table: string, column: string, earlier: readonly Migration[]): string | undefined {
  let found: string | undefined;
  for (const statement of earlier.flatMap(({ statements }) => statements)) {
    const lines = statement.replace(/--.*$/gm, "").split("\n");
    if (
      createsTable.exec(lines.join("\n").trim())?.[1] !== table &&
      !new RegExp(`ALTER TABLE \`?${table}\\b`, "i").test(statement)
    )
      continue;
    for (const line of lines) {
      const [, text] =
        new RegExp(`^(?:.*\\b(?:ADD|MODIFY)(?: COLUMN)?)?\\s*\`?${column}\`? (.*?),?\\s*$`, "i").exec(line) ?? [];
      if (text !== undefined) found = text;
    }
  }
  return found;
}

function widening(table: string, sql: string, earlier: readonly Migration[]): string[] {
  return [...sql.matchAll(/\bMODIFY (?:COLUMN )?`?([a-z_]+)`? (.*?)(?=, (?:ALGORITHM|MODIFY|ADD)|$)/gi)].flatMap(
    ([, column = "", to = ""]) => {
      const from = definitionOf(table, column, earlier);
      return from !== undefined && isWider(from, to)
        ? []
        : [`${table}.${column} becomes ${to}, which is not known to be wider than ${from ?? "what it is"}`];
    },
  );
}

function ofExpand(statement: string, made: ReadonlySet<string>, earlier: readonly Migration[]): string[] {
  const sql = bare(statement);
  if (/^CREATE TABLE\b/i.test(sql))
    return createsTable.test(sql) ? [] : ["CREATE TABLE needs IF NOT EXISTS: it may be repeated"];
  const table = tableOf(sql) ?? "";
  if (/^INSERT\b/i.test(sql)) return /^INSERT IGNORE\b/i.test(sql) ? [] : ["INSERT needs IGNORE: it may be repeated"];
  if (made.has(table)) return [];
  const problems = removals.filter(([pattern]) => pattern.test(sql)).map(([, why]) => why);
  if (/^ALTER TABLE\b/i.test(sql)) {
    for (const column of addedColumns(sql))
      if (!isFilled(column))
        problems.push(`${column}: NOT NULL without DEFAULT: nodes of the release before do not write it`);
    problems.push(...widening(table, sql, earlier));
  }
  return problems;
}

/** Whether the statement changes a table that is there, so that it must say how it does it beside running nodes. */
const changesTable = (sql: string) => /^(ALTER TABLE|CREATE (UNIQUE )?INDEX)\b/i.test(sql);

/** The problems of one migration; `earlier`: those of its database that come before it. */
export function migrationProblems(migration: Migration, earlier: readonly Migration[]): string[] {
  const { name, kind, release, needs, statements } = migration;
  const made = new Set(statements.map((one) => createsTable.exec(bare(one))?.[1]).filter((one) => one !== undefined));
  const problems = statements.flatMap((statement) => {
    const sql = bare(statement);
    const how =
      changesTable(sql) && !made.has(tableOf(sql) ?? "") && !saysHow.test(sql)
        ? ["it does not say ALGORITHM=INSTANT, or ALGORITHM=INPLACE, LOCK=NONE: it may lock the table"]
        : [];
    return [...how, ...(kind === "expand" ? ofExpand(statement, made, earlier) : [])].map(
      (problem) => `${name}: ${problem} (${sql.slice(0, 80)})`,
    );
  });
  if (kind === "contract" && needs >= release)
    problems.push(
      `${name}: it needs release ${needs}; nodes of release ${release - 1} must run without what it removes`,
    );
  return problems;
}
