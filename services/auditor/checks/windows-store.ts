import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { firstIdSince } from "../../../mixins/mysql/first-id-since.ts";
import type { Difference } from "../differences.ts";
import type { Check, Range } from "./check.ts";
import { lastId } from "./day-parts.ts";

/** Checks that go through a table by its ids, and the SQL of their pages. */

/** The time of the server where the books are read. */
export async function serverTime(db: Queryable): Promise<Date> {
  const [row] = await db.query<{ now_time: Date }>("SELECT UTC_TIMESTAMP(3) AS now_time");
  return row?.now_time as Date;
}

/** The id that ends a page, by the rows that there are: ids may have gaps of any size. `null`: the table ends before. */
async function pageEnd(db: Queryable, table: string, key: string, from: string, rows: number): Promise<string | null> {
  const [row] = await db.query<{ id: string }>(
    `SELECT ${key} AS id FROM ${table} WHERE ${key} > ? ORDER BY ${key} LIMIT 1 OFFSET ?`,
    [from, rows - 1],
  );
  return row ? String(row.id) : null;
}

async function rowsBetween(db: Queryable, table: string, from: string, to: string): Promise<number> {
  const [row] = await db.query<{ found: string }>(
    `SELECT COUNT(*) AS found FROM (SELECT 1 FROM ${table} WHERE id > ? AND id <= ? LIMIT ?) n`,
    [from, to, limits.books.pageRows],
  );
  return Number(row?.found);
}

interface Window {
  readonly name: string;
  readonly table: string;
  /** The column whose values grow with time, for rounds and for `since`. */
  readonly column: string;
  /** A difference is none before this age: with a time given, rows are looked at once they are as old. */
  readonly delayMs?: number;
  /** With a time given, rows so much older than it are looked at too: what they are compared with may be newer. */
  readonly againMs?: number;
  readonly rounds: boolean;
  /** The differences of the rows with ids above `from` up to `to`, at most `limits.books.findingsPerPage`. */
  find(from: string, to: string): Promise<Difference[]>;
}

/** A check of a table whose ids grow with the time of its rows. */
export function windowCheck(
  db: Queryable,
  { name, table, column, delayMs = 0, againMs = 0, rounds, find }: Window,
): Check {
  const before = (id: bigint) => String(id > 0n ? id - 1n : 0n);
  return {
    ...{ name, rounds, passes: true },
    async range(since) {
      if (!since) return { from: "0" };
      const from = await firstIdSince(db, { table, column }, new Date(since.getTime() - delayMs - againMs));
      if (delayMs === 0) return { from: before(from) };
      const now = await serverTime(db);
      const to = await firstIdSince(db, { table, column }, new Date(now.getTime() - delayMs));
      return { from: before(from), to: before(to) };
    },
    async page({ from, to = String(lastId) }: Range) {
      const end = await pageEnd(db, table, "id", from, limits.books.pageRows);
      const last = end === null || BigInt(end) >= BigInt(to);
      const differences = BigInt(to) > BigInt(from) ? await find(from, last ? to : end) : [];
      const rows = last ? await rowsBetween(db, table, from, to) : limits.books.pageRows;
      return { rows, differences, next: last ? null : end };
    },
  };
}

/** The ids of a page of a table that is ordered by user: as many as `limits.books.pageAccounts`. */
export function userPageEnd(db: Queryable, table: string, from: string): Promise<string | null> {
  return pageEnd(db, table, "user_id", from, limits.books.pageAccounts);
}
