import { type Queryable, type Transaction, toSafeInteger } from "../mysql/database.ts";
import { firstIdSince } from "../mysql/first-id-since.ts";
import { type ChainHead, type CheckpointFields, noDigest, type SealFields } from "./seal-form.ts";

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

/** The latest checkpoints, newest first, with the time of each. */
export async function latestCheckpoints(
  db: Queryable,
  limit: number,
): Promise<{ number: number; digest: string; heads: ChainHead[]; time: Date }[]> {
  const rows = await db.query<{ number: string; digest: Buffer; heads: unknown; create_time: Date }>(
    "SELECT number, digest, heads, create_time FROM t_ledger_checkpoint ORDER BY number DESC LIMIT ?",
    [limit],
  );
  return rows.map(({ number, digest, heads, create_time }) => ({
    number: toSafeInteger(number),
    digest: digest.toString("hex"),
    heads: (typeof heads === "string" ? JSON.parse(heads) : heads) as ChainHead[],
    time: create_time,
  }));
}

export const firstCheckpoint = { number: 0, digest: noDigest, heads: [] as ChainHead[], time: new Date(0) };

/**
 * The heads of the chains that have a seal of this time or later. Transactions do not commit in the order of their
 * times, so begin earlier than you need.
 */
export async function headsSince(tx: Queryable, since: Date): Promise<ChainHead[]> {
  const from = await firstIdSince(tx, { table: "t_ledger_seal", column: "rows_time" }, since);
  const rows = await tx.query<{ writer: string; number: string; digest: Buffer }>(
    `SELECT s.writer, s.number, s.digest FROM t_ledger_seal s
       JOIN (SELECT writer, MAX(number) AS number FROM t_ledger_seal WHERE id >= ? GROUP BY writer) h ON h.writer = s.writer AND h.number = s.number`,
    [String(from)],
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
