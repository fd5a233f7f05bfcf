import { limits } from "../../config/limits.ts";
import type { Queryable } from "../mysql/database.ts";
import type { ArchivedTable } from "./archived-table.ts";
import type { Suspects } from "./held-filters.ts";

/** Rows of the archive by their business ids. Ask the hot table first: a row that is moved meanwhile is found here. */
export async function archivedByKey<Row extends object>(
  db: Queryable,
  { archive, key, keyIndex }: ArchivedTable,
  columns: string,
  places: readonly Suspects[],
): Promise<Row[]> {
  const found: Row[] = [];
  const { lookupIds } = limits.archive;
  // The range names the partition, whose index is asked; longer lists are not looked up in an index but read through.
  for (const { from, to, ids } of places)
    for (let at = 0; at < ids.length; at += lookupIds)
      found.push(
        ...(await db.query<Row>(
          `SELECT ${columns} FROM ${archive} FORCE INDEX (${keyIndex}) WHERE id >= ? AND id < ? AND ${key} IN (?)`,
          [String(from), String(to), ids.slice(at, at + lookupIds)],
        )),
      );
  return found;
}
