import { type Database, isDuplicateKey, type Queryable, type Transaction } from "../../../mixins/mysql/database.ts";
import type { BucketRow, LeftRows } from "./bucket-map.ts";
import { type MoveState, numberOfState, stateOfNumber } from "./move-state.ts";

/** SQL of the buckets: which server has them, and their moves. */

/** The buckets that have moved, and where buckets have left rows, from the home server as of one moment. */
export async function readBuckets(home: Queryable): Promise<{ buckets: BucketRow[]; left: LeftRows[] }> {
  const rows = await home.query<{ is_left: number; bucket: number; server: string; revision: number }>(
    `SELECT 0 AS is_left, bucket, server, revision FROM t_wallet_bucket
     UNION ALL SELECT DISTINCT 1, bucket, source, 0 FROM t_wallet_bucket_move WHERE state >= ? AND has_rows = 1`,
    [numberOfState("moved")],
  );
  const of = (isLeft: number) =>
    rows
      .filter((row) => Number(row.is_left) === isLeft)
      .map(({ bucket, server, revision }) => ({ bucket: Number(bucket), server, revision: Number(revision) }));
  return { buckets: of(0), left: of(1) };
}

/** Writes that a bucket is on a server from now on, unless a later move has written that of another. */
export async function writeBucket(home: Queryable, { bucket, server, revision }: BucketRow): Promise<void> {
  await home.run(
    `INSERT INTO t_wallet_bucket (bucket, server, revision) VALUES (?, ?, ?)
     ON DUPLICATE KEY UPDATE server = IF(VALUES(revision) > revision, VALUES(server), server),
       revision = GREATEST(revision, VALUES(revision))`,
    [bucket, server, revision],
  );
}

/**
 * Locks what the map says of a bucket until the transaction ends: neither a move nor a repair begins beside another one.
 * `false`: it does not say this.
 */
async function lockBucket(tx: Transaction, { bucket, server, revision }: BucketRow): Promise<boolean> {
  // A bucket that has never moved has no row to lock.
  await tx.run(
    `INSERT INTO t_wallet_bucket (bucket, server, revision) VALUES (?, ?, ?)
     ON DUPLICATE KEY UPDATE revision = t_wallet_bucket.revision`,
    [bucket, server, revision],
  );
  const [row] = await tx.query<{ server: string; revision: number }>(
    "SELECT server, revision FROM t_wallet_bucket WHERE bucket = ? FOR UPDATE",
    [bucket],
  );
  return row?.server === server && Number(row.revision) === revision;
}

/**
 * Raises the map's revision of a bucket that does not move. `false`: it moves, or the map does not say this of it. Moves that
 * are planned later know the new revision.
 */
export function raiseRevision(home: Database, row: BucketRow, revision: number): Promise<boolean> {
  return home.transaction(async (tx) => {
    if (!(await lockBucket(tx, row))) return false;
    const moving = await tx.query("SELECT id FROM t_wallet_bucket_move WHERE open_bucket = ?", [row.bucket]);
    if (moving.length > 0) return false;
    await tx.run("UPDATE t_wallet_bucket SET revision = ? WHERE bucket = ?", [revision, row.bucket]);
    return true;
  });
}

/** A move of a bucket. */
export interface BucketMove {
  readonly id: number;
  readonly bucket: number;
  readonly source: string;
  readonly target: string;
  /** That of the bucket once it has moved. */
  readonly revision: number;
  readonly state: MoveState;
  readonly accounts: number;
  readonly createTime: Date;
  readonly closedTime: Date | null;
  readonly doneTime: Date | null;
}

interface MoveRow
  extends Record<"source" | "target", string>,
    Record<"id" | "bucket" | "revision" | "state" | "accounts", number> {
  create_time: Date;
  closed_time: Date | null;
  done_time: Date | null;
}

const moveColumns = "id, bucket, source, target, revision, state, accounts, create_time, closed_time, done_time";

const toMove = (row: MoveRow): BucketMove => ({
  ...{ id: Number(row.id), bucket: Number(row.bucket), source: row.source, target: row.target },
  ...{ revision: Number(row.revision), state: stateOfNumber(Number(row.state)), accounts: Number(row.accounts) },
  ...{ createTime: row.create_time, closedTime: row.closed_time, doneTime: row.done_time },
});

/**
 * Plans a move; `false` where the bucket has one that is not done or is as new, the map says something else of it, or the
 * home server does not name the target any more.
 */
export async function planMove(
  home: Database,
  move: Pick<BucketMove, "bucket" | "source" | "target" | "revision">,
  operator: string,
): Promise<boolean> {
  const { bucket, source, target, revision } = move;
  try {
    return await home.transaction(async (tx) => {
      if (!(await lockBucket(tx, { bucket, server: source, revision: revision - 1 }))) return false;
      const { affectedRows } = await tx.run(
        // Both servers take these locks with SELECT alone.
        `INSERT INTO t_wallet_bucket_move (bucket, source, target, revision, state, operator, create_time, open_bucket)
       SELECT ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3), ? FROM t_server WHERE name = ?
         AND NOT EXISTS (SELECT 1 FROM t_wallet_bucket_move WHERE bucket = ? AND revision >= ?)
       /*!80000 FOR SHARE */ /*M! LOCK IN SHARE MODE */`,
        [bucket, source, target, revision, numberOfState("planned"), operator, bucket, target, bucket, revision],
      );
      return affectedRows === 1;
    });
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

/** The moves that are not done, oldest first. */
export async function openMoves(home: Queryable): Promise<BucketMove[]> {
  const rows = await home.query<MoveRow>(
    `SELECT ${moveColumns} FROM t_wallet_bucket_move WHERE open_bucket IS NOT NULL ORDER BY id`,
  );
  return rows.map(toMove);
}

/** All moves of a bucket, oldest first. */
export async function movesOf(home: Queryable, bucket: number): Promise<BucketMove[]> {
  const rows = await home.query<MoveRow>(
    `SELECT ${moveColumns} FROM t_wallet_bucket_move WHERE bucket = ? ORDER BY id`,
    [bucket],
  );
  return rows.map(toMove);
}

/** The ids of all moves, done or not, as business ids have them. */
export async function moveIds(home: Queryable): Promise<Set<string>> {
  const rows = await home.query<{ id: number }>("SELECT id FROM t_wallet_bucket_move");
  return new Set(rows.map(({ id }) => String(id)));
}

/** The newest moves of all, newest first. */
export async function newestMoves(home: Queryable, limit: number): Promise<BucketMove[]> {
  const rows = await home.query<MoveRow>(`SELECT ${moveColumns} FROM t_wallet_bucket_move ORDER BY id DESC LIMIT ?`, [
    limit,
  ]);
  return rows.map(toMove);
}

/** Notes that the source is closed, and whether it has rows of the bucket's users. */
export async function noteClosed(home: Queryable, id: number, hasRows: boolean): Promise<void> {
  await home.run(
    "UPDATE t_wallet_bucket_move SET state = ?, has_rows = ?, closed_time = UTC_TIMESTAMP(3) WHERE id = ? AND state = ?",
    [numberOfState("closed"), hasRows ? 1 : 0, id, numberOfState("planned")],
  );
}

export async function noteMoved(home: Queryable, id: number, accounts: number): Promise<void> {
  await home.run("UPDATE t_wallet_bucket_move SET state = ?, accounts = ? WHERE id = ? AND state = ?", [
    ...[numberOfState("moved"), accounts, id, numberOfState("closed")],
  ]);
}

export async function noteDone(home: Queryable, id: number): Promise<void> {
  await home.run(
    `UPDATE t_wallet_bucket_move SET state = ?, done_time = UTC_TIMESTAMP(3), open_bucket = NULL
     WHERE id = ? AND state = ?`,
    [numberOfState("done"), id, numberOfState("moved")],
  );
}
