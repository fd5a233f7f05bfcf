import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";
import { CountedIds } from "./counted-ids.ts";

/** SQL of the record ids that are counted. */

interface Row {
  chunk: string;
  bits: Buffer;
}

const toChunks = (rows: readonly Row[]) =>
  new Map(rows.map(({ chunk, bits }) => [Number(chunk), new CountedIds(bits)]));

/** The chunks, locked until the transaction ends; those that are missing are made. @param chunks ascending */
export async function lockChunks(
  tx: Transaction,
  generation: number,
  chunks: readonly number[],
): Promise<Map<number, CountedIds>> {
  await tx.run(
    "INSERT INTO t_rank_counted (generation, chunk, bits) VALUES ? ON DUPLICATE KEY UPDATE chunk = VALUES(chunk)",
    [chunks.map((chunk) => [generation, chunk, ""])],
  );
  return toChunks(
    await tx.query<Row>(
      "SELECT chunk, bits FROM t_rank_counted WHERE generation = ? AND chunk IN (?) ORDER BY chunk FOR UPDATE",
      [generation, chunks],
    ),
  );
}

export async function writeChunk(tx: Transaction, generation: number, chunk: number, ids: CountedIds): Promise<void> {
  await tx.run("UPDATE t_rank_counted SET bits = ? WHERE generation = ? AND chunk = ?", [
    ids.packed(),
    generation,
    chunk,
  ]);
}

/** Reads chunks without a lock. */
export async function readChunks(
  db: Queryable,
  generation: number,
  chunks: readonly number[],
): Promise<Map<number, CountedIds>> {
  if (chunks.length === 0) return new Map();
  return toChunks(
    await db.query<Row>("SELECT chunk, bits FROM t_rank_counted WHERE generation = ? AND chunk IN (?)", [
      generation,
      chunks,
    ]),
  );
}

/** Removes chunks of earlier generations; returns whether there are more. */
export async function removeOldChunks(db: Queryable, generation: number, rows: number): Promise<boolean> {
  const { affectedRows } = await db.run("DELETE FROM t_rank_counted WHERE generation < ? LIMIT ?", [generation, rows]);
  return affectedRows === rows;
}
