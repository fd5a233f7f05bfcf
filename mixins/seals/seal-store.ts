import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { type Queryable, type Transaction, toSafeInteger } from "../mysql/database.ts";
import { firstIdSince } from "../mysql/first-id-since.ts";
import type { ChainHead, CheckpointFields, SealFields } from "./seal-form.ts";

/** SQL of the seals and their checkpoints. Rows are only added. */

export interface Seal extends SealFields {
  readonly tags: Buffer;
  readonly keyName: string;
  readonly digest: string;
}

/** The database's time as rows have it, `2026-11-26 12:00:00.000` in UTC. */
export async function timeForRows(tx: Transaction): Promise<string> {
  const [row] = await tx.query<{ now_time: string }>("SELECT CAST(UTC_TIMESTAMP(3) AS CHAR) AS now_time");
  return String(row?.now_time);
}

/** The server knows by how much the ids of one statement's rows grow: 1, or more in a cluster of several primaries. */
export async function insertSeals(tx: Transaction, seals: readonly Seal[]): Promise<void> {
  const binary = (hex: string) => Buffer.from(hex, "hex");
  await tx.run(
    `INSERT INTO t_ledger_seal (writer, number, previous, book, first_id, last_id, id_step, row_count, row_sum, rows_time,
       rows_digest, row_tags, key_name, digest)
     VALUES ${seals.map(() => "(?,?,?,?,?,? + ? * @@auto_increment_increment,@@auto_increment_increment,?,?,?,?,?,?,?)").join(", ")}`,
    seals.flatMap((seal) => [
      ...[seal.writer, seal.number, binary(seal.previous), seal.book, seal.firstId, seal.firstId, seal.rows - 1],
      ...[seal.rows, seal.sum, seal.rowsTime, binary(seal.rowsDigest), seal.tags, seal.keyName, binary(seal.digest)],
    ]),
  );
}

/** A checkpoint in t_ledger_checkpoint. */
export interface Checkpoint extends Omit<CheckpointFields, "service"> {
  readonly digest: string;
  readonly keyName: string;
}

/** A row of t_ledger_checkpoint, as the driver has it. */
export interface CheckpointRow {
  number: string;
  previous: Buffer;
  digest: Buffer;
  heads: unknown;
}

export interface ReadCheckpoint extends Omit<CheckpointFields, "service"> {
  readonly digest: string;
}

const headsForm = z
  .array(z.object({ writer: z.string(), number: z.int().min(1), digest: z.string() }))
  .max(limits.books.checkpointHeads);

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/**
 * A checkpoint of a row, which whoever may INSERT can have written; `undefined` where it has no number or heads that a
 * checkpoint can have.
 */
export function readCheckpoint({ number: text, previous, digest, heads }: CheckpointRow): ReadCheckpoint | undefined {
  const number = Number(text);
  const read = headsForm.safeParse(typeof heads === "string" ? parsed(heads) : heads);
  if (!Number.isSafeInteger(number) || !read.success) return undefined;
  return { number, previous: previous.toString("hex"), digest: digest.toString("hex"), heads: read.data };
}

/** A checkpoint as `latestCheckpoints` reads it. */
export interface DatedCheckpoint extends ReadCheckpoint {
  readonly keyName: string;
  readonly time: Date;
}

/** The latest checkpoints below a number, newest first, without rows that cannot be read, and the number to go on from. */
export async function latestCheckpoints(
  db: Queryable,
  below: string,
  limit: number,
): Promise<{ checkpoints: DatedCheckpoint[]; next: string | null }> {
  const rows = await db.query<CheckpointRow & { key_name: string; create_time: Date }>(
    `SELECT number, previous, digest, heads, key_name, create_time FROM t_ledger_checkpoint
     WHERE number < ? ORDER BY number DESC LIMIT ?`,
    [below, limit],
  );
  const checkpoints = rows.flatMap((row): DatedCheckpoint[] => {
    const read = readCheckpoint(row);
    return read ? [{ ...read, keyName: row.key_name, time: row.create_time }] : [];
  });
  return { checkpoints, next: rows.length < limit ? null : String(rows.at(-1)?.number) };
}

/** How long ago the last checkpoint was, ms, while there is a newer seal; else 0. One statement, of the newest rows. */
export async function unjoinedForMs(db: Queryable): Promise<number> {
  const [row] = await db.query<{ age: string | null }>(
    `SELECT TIMESTAMPDIFF(MICROSECOND, COALESCE(c.create_time, s.rows_time), UTC_TIMESTAMP(3)) AS age
     FROM (SELECT rows_time FROM t_ledger_seal ORDER BY id DESC LIMIT 1) s
     LEFT JOIN (SELECT create_time FROM t_ledger_checkpoint ORDER BY number DESC LIMIT 1) c ON TRUE
     WHERE c.create_time IS NULL OR s.rows_time > c.create_time`,
  );
  return Math.max(0, Number(row?.age ?? 0) / 1_000);
}

/** Whether there is a row of this number. */
export async function hasCheckpoint(db: Queryable, number: number): Promise<boolean> {
  return (await db.query("SELECT 1 FROM t_ledger_checkpoint WHERE number = ?", [number])).length > 0;
}

/**
 * The heads of the chains that have a seal of this time or later. Transactions do not commit in the order of their
 * times, so begin earlier than you need. A seal whose number no chain reaches is none of the service.
 */
export async function headsSince(tx: Queryable, since: Date): Promise<ChainHead[]> {
  const from = await firstIdSince(tx, { table: "t_ledger_seal", column: "rows_time" }, since);
  const rows = await tx.query<{ writer: string; number: string; digest: Buffer }>(
    `SELECT s.writer, s.number, s.digest FROM t_ledger_seal s
       JOIN (SELECT writer, MAX(number) AS number FROM t_ledger_seal WHERE id >= ? AND number <= ?
         GROUP BY writer) h ON h.writer = s.writer AND h.number = s.number`,
    [String(from), Number.MAX_SAFE_INTEGER],
  );
  return rows.map(({ writer, number, digest }) => ({
    ...{ writer, number: toSafeInteger(number), digest: digest.toString("hex") },
  }));
}

/** Fails with a duplicate key where another node wrote the checkpoint of this number. */
export async function insertCheckpoint(tx: Transaction, checkpoint: Checkpoint): Promise<void> {
  const { number, previous, heads, keyName, digest } = checkpoint;
  await tx.run(
    `INSERT INTO t_ledger_checkpoint (number, previous, heads, key_name, digest, create_time)
     VALUES (?,?,?,?,?,UTC_TIMESTAMP(3))`,
    [number, Buffer.from(previous, "hex"), JSON.stringify(heads), keyName, Buffer.from(digest, "hex")],
  );
}
