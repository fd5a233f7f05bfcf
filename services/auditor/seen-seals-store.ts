import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";
import type { ChainHead } from "../../mixins/seals/seal-form.ts";
import type { SealingService } from "../book-seals.ts";

/** SQL of what the auditor has seen of the seals, in its own database. Digests are hex. */

/** Keeps the furthest seal of each chain. */
export async function keepHeads(own: Queryable, service: SealingService, heads: readonly ChainHead[]): Promise<void> {
  if (heads.length === 0) return;
  await own.run(
    `INSERT INTO t_book_head (service, writer, number, digest, update_time)
     VALUES ${heads.map(() => "(?,?,?,?,UTC_TIMESTAMP(3))").join(", ")}
     ON DUPLICATE KEY UPDATE digest = IF(VALUES(number) > number, VALUES(digest), digest),
       update_time = IF(VALUES(number) > number, VALUES(update_time), update_time), number = GREATEST(number, VALUES(number))`,
    heads.flatMap(({ writer, number, digest }) => [service, writer, number, Buffer.from(digest, "hex")]),
  );
}

/** The heads of the chains after `writer`, of those that grew since a time where one is given. */
export async function headsAfter(
  own: Queryable,
  service: SealingService,
  writer: string,
  since: Date | undefined,
  limit: number,
): Promise<ChainHead[]> {
  const rows = await own.query<{ writer: string; number: string; digest: Buffer }>(
    `SELECT writer, number, digest FROM t_book_head WHERE service = ? AND writer > ? ${since ? "AND update_time >= ?" : ""}
     ORDER BY writer LIMIT ?`,
    [service, writer, ...(since ? [since] : []), limit],
  );
  return rows.map((row) => ({
    ...{ writer: row.writer, number: toSafeInteger(row.number), digest: row.digest.toString("hex") },
  }));
}

/** A checkpoint as an event had it. */
export interface SeenCheckpoint {
  readonly number: number;
  readonly digest: string;
}

/** Keeps the checkpoint of an event. Of a number the first one stays; returns its digest. */
export async function keepCheckpoint(
  own: Queryable,
  service: SealingService,
  { number, digest }: SeenCheckpoint,
): Promise<string> {
  await own.run(
    `INSERT INTO t_book_checkpoint (service, number, digest, create_time) VALUES (?, ?, ?, UTC_TIMESTAMP(3))
     ON DUPLICATE KEY UPDATE number = number`,
    [service, number, Buffer.from(digest, "hex")],
  );
  const [kept] = await own.query<{ digest: Buffer }>(
    "SELECT digest FROM t_book_checkpoint WHERE service = ? AND number = ?",
    [service, number],
  );
  return kept?.digest.toString("hex") ?? digest;
}

/** The checkpoints of these numbers that events had for longer than `ageMs`: a replica may be later than an event. */
export async function seenCheckpoints(
  own: Queryable,
  service: SealingService,
  from: number,
  to: number,
  ageMs: number,
): Promise<Map<number, string>> {
  const rows = await own.query<{ number: string; digest: Buffer }>(
    `SELECT number, digest FROM t_book_checkpoint
     WHERE service = ? AND number >= ? AND number <= ? AND create_time < UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND`,
    [service, from, to, ageMs * 1_000],
  );
  return new Map(rows.map(({ number, digest }) => [toSafeInteger(number), digest.toString("hex")]));
}
