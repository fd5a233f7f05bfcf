import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";
import { CountedIds } from "../counted-ids.ts";

/** SQL of the record ids whose gifts are in the live scores. */

/** The chunks, locked until the transaction ends; those that are missing are made. @param chunks ascending */
export async function lockChunks(tx: Transaction, chunks: readonly number[]): Promise<Map<number, CountedIds>> {
  // Made first: a lock on a row that is missing is one on the gap, and two nodes that fill it deadlock.
  const rowsOf = chunks.map(() => "(?, '', UTC_TIMESTAMP(3))").join(", ");
  await tx.run(
    `INSERT INTO t_battle_counted (chunk, bits, changed_time) VALUES ${rowsOf} ON DUPLICATE KEY UPDATE chunk = VALUES(chunk)`,
    [...chunks],
  );
  const rows = await tx.query<{ chunk: string; bits: Buffer }>(
    "SELECT chunk, bits FROM t_battle_counted WHERE chunk IN (?) ORDER BY chunk FOR UPDATE",
    [chunks],
  );
  return new Map(rows.map(({ chunk, bits }) => [Number(chunk), new CountedIds(bits)]));
}

export async function writeChunk(tx: Transaction, chunk: number, ids: CountedIds): Promise<void> {
  await tx.run("UPDATE t_battle_counted SET bits = ?, changed_time = UTC_TIMESTAMP(3) WHERE chunk = ?", [
    ids.packed(),
    chunk,
  ]);
}

/** Removes up to `limit` chunks that have not changed for this time. */
export async function removeOldChunks(db: Queryable, olderThanMs: number, limit: number): Promise<void> {
  await db.run(
    "DELETE FROM t_battle_counted WHERE changed_time < UTC_TIMESTAMP(3) - INTERVAL ? SECOND ORDER BY changed_time LIMIT ?",
    [olderThanMs / 1_000, limit],
  );
}
