import type { Queryable } from "../mysql/database.ts";
import { firstIdSince } from "../mysql/first-id-since.ts";
import type { ArchivedTable } from "./archived-table.ts";

/**
 * As `firstIdSince`, over the hot table and the archive table. The hot one is asked first: a row that is moved in between
 * is then found in the archive.
 */
export async function firstOfBothSince(
  db: Queryable,
  { table, archive, time: column }: ArchivedTable,
  time: Date,
): Promise<bigint> {
  const hot = await firstIdSince(db, { table, column }, time);
  const archived = await firstIdSince(db, { table: archive, column }, time);
  const [found] = await db.query(`SELECT id FROM ${archive} WHERE id >= ? ORDER BY id LIMIT 1`, [String(archived)]);
  return found === undefined ? hot : archived;
}
