import { type Database, isDuplicateKey, type Queryable, type Transaction } from "../../../mixins/mysql/database.ts";
import type { BucketRow, LeftRows } from "./bucket-map.ts";
import type { Gate } from "./compare-gates.ts";
import { type MoveState, numberOfState, stateOfNumber } from "./move-state.ts";

/** SQL of the buckets: which server has them, the gates, and their moves. */

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

/** Revisions by bucket. */
type Wanted = ReadonlyMap<number, number>;

interface GateRow {
  bucket: number;
  is_open: number;
  revision: number;
}

function closedAmong(wanted: Wanted, rows: readonly GateRow[]): Set<number> {
  const closed = new Set(wanted.keys());
  for (const { bucket, is_open, revision } of rows)
    if (Number(is_open) === 1 && Number(revision) === wanted.get(Number(bucket))) closed.delete(Number(bucket));
  return closed;
}

/**
 * The buckets of which this server may not write rows, at the revisions that are known. The others stay open until the
 * transaction ends: their gates are share-locked.
 */
export async function lockGates(tx: Transaction, wanted: Wanted): Promise<Set<number>> {
  const rows = await tx.query<GateRow>(
    "SELECT bucket, is_open, revision FROM t_wallet_gate WHERE bucket IN (?) LOCK IN SHARE MODE",
    [[...wanted.keys()]],
  );
  return closedAmong(wanted, rows);
}

/** As `lockGates`, at this moment: what was read before it of an open bucket was no part of a move. */
export async function closedGates(db: Queryable, wanted: Wanted): Promise<Set<number>> {
  const rows = await db.query<GateRow>("SELECT bucket, is_open, revision FROM t_wallet_gate WHERE bucket IN (?)", [
    [...wanted.keys()],
  ]);
  return closedAmong(wanted, rows);
}

/** All gates of a server. */
export async function readGates(db: Queryable): Promise<Gate[]> {
  const rows = await db.query<GateRow>("SELECT bucket, is_open, revision FROM t_wallet_gate");
  return rows.map(({ bucket, is_open, revision }) => ({
    ...{ bucket: Number(bucket), isOpen: Number(is_open) === 1, revision: Number(revision) },
  }));
}

/**
 * Closes a gate that is open at this revision, unless a transaction holds it: nobody has to wait behind this one. `false`:
 * one holds it. Once it is closed no transaction that found it open runs any more. A repeat, or one that comes after a
 * later move, changes nothing.
 */
export function closeGateIfFree(source: Database, bucket: number, revision: number): Promise<boolean> {
  return source.transaction(async (tx) => {
    const free = await tx.query("SELECT bucket FROM t_wallet_gate WHERE bucket = ? FOR UPDATE SKIP LOCKED", [bucket]);
    if (free.length === 0) return false;
    await tx.run("UPDATE t_wallet_gate SET is_open = 0 WHERE bucket = ? AND revision = ?", [bucket, revision]);
    return true;
  });
}

/** Whether the gate is closed at this revision; in a transaction it stays so until that ends. */
export async function isClosedAt(db: Queryable, bucket: number, revision: number): Promise<boolean> {
  const [row] = await db.query<GateRow>(
    "SELECT bucket, is_open, revision FROM t_wallet_gate WHERE bucket = ? LOCK IN SHARE MODE",
    [bucket],
  );
  return row !== undefined && Number(row.is_open) === 0 && Number(row.revision) === revision;
}

/** Opens a gate at a new revision, unless it has that already. */
export async function openGate(target: Queryable, bucket: number, revision: number): Promise<void> {
  await target.run("UPDATE t_wallet_gate SET is_open = 1, revision = ? WHERE bucket = ? AND revision < ?", [
    ...[revision, bucket, revision],
  ]);
}

/** Whether the gate is older than a revision, and stays so until the transaction ends. */
export async function isBefore(tx: Transaction, bucket: number, revision: number): Promise<boolean> {
  const [row] = await tx.query<GateRow>(
    "SELECT bucket, is_open, revision FROM t_wallet_gate WHERE bucket = ? LOCK IN SHARE MODE",
    [bucket],
  );
  return row !== undefined && Number(row.revision) < revision;
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
 * Plans a move; `false` where the bucket has one that is not done or is as new, or the home server does not name the
 * target any more.
 */
export async function planMove(
  home: Queryable,
  move: Pick<BucketMove, "bucket" | "source" | "target" | "revision">,
  operator: string,
): Promise<boolean> {
  const { bucket, source, target, revision } = move;
  try {
    const { affectedRows } = await home.run(
      // Both servers take these locks with SELECT alone.
      `INSERT INTO t_wallet_bucket_move (bucket, source, target, revision, state, operator, create_time, open_bucket)
       SELECT ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3), ? FROM t_server WHERE name = ?
         AND NOT EXISTS (SELECT 1 FROM t_wallet_bucket_move WHERE bucket = ? AND revision >= ?)
       /*!80000 FOR SHARE */ /*M! LOCK IN SHARE MODE */`,
      [bucket, source, target, revision, numberOfState("planned"), operator, bucket, target, bucket, revision],
    );
    return affectedRows === 1;
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
