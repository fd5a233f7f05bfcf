import { isDuplicateKey, type Queryable, type Transaction, toSafeInteger } from "../../../mixins/mysql/database.ts";
import { archivedTrades } from "../../archived-tables.ts";
import type { BucketRow, LeftRows } from "./bucket-map.ts";
import { type MoveState, numberOfState, stateOfNumber } from "./move-state.ts";

/** SQL of the buckets: which server has them, the gates, and their moves. */

/** The buckets that have moved, from the home server. */
export async function readBuckets(home: Queryable): Promise<BucketRow[]> {
  const rows = await home.query<{ bucket: number; server: string; revision: number }>(
    "SELECT bucket, server, revision FROM t_wallet_bucket",
  );
  return rows.map(({ bucket, server, revision }) => ({
    ...{ bucket: Number(bucket), server, revision: Number(revision) },
  }));
}

/** Where buckets have left rows. Read it after the buckets: what a bucket of theirs has left is in it then. */
export async function readLeftRows(home: Queryable): Promise<LeftRows[]> {
  const rows = await home.query<{ bucket: number; source: string }>(
    "SELECT DISTINCT bucket, source FROM t_wallet_bucket_move WHERE state >= ? AND has_rows = 1",
    [numberOfState("moved")],
  );
  return rows.map(({ bucket, source }) => ({ bucket: Number(bucket), server: source }));
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

/**
 * Closes a gate that is open at this revision; resolves once no transaction that found it open runs any more. A repeat,
 * or one that comes after a later move, changes nothing.
 */
export async function closeGate(source: Queryable, bucket: number, revision: number): Promise<void> {
  await source.run("UPDATE t_wallet_gate SET is_open = 0 WHERE bucket = ? AND revision = ?", [bucket, revision]);
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

/** Plans a move; `false` where the bucket has one that is not done. */
export async function planMove(
  home: Queryable,
  move: Pick<BucketMove, "bucket" | "source" | "target" | "revision">,
  operator: string,
): Promise<boolean> {
  const { bucket, source, target, revision } = move;
  try {
    await home.run(
      `INSERT INTO t_wallet_bucket_move (bucket, source, target, revision, state, operator, create_time, open_bucket)
       VALUES (?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3), ?)`,
      [bucket, source, target, revision, numberOfState("planned"), operator, bucket],
    );
    return true;
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

/** An account as it leaves a server. */
export interface LeavingAccount {
  readonly userId: string;
  readonly balance: number;
  readonly debt: number;
  readonly status: number;
}

/** store_bucket is made by scripts/add-servers.ts, beside an index. */
const inBucket = "FROM t_qiyu_currency_account WHERE store_bucket = ?";

export async function hasAccounts(source: Queryable, bucket: number): Promise<boolean> {
  return (await source.query(`SELECT 1 AS one ${inBucket} LIMIT 1`, [bucket])).length > 0;
}

/** The accounts of a bucket, above a user id, that have something to take along: a balance, a debt, or a status. */
export async function leavingAccounts(
  source: Queryable,
  bucket: number,
  above: string,
  limit: number,
): Promise<LeavingAccount[]> {
  const rows = await source.query<{ user_id: string; current_balance: string; debt: string; status: number }>(
    `SELECT user_id, current_balance, debt, status ${inBucket} AND user_id > ?
       AND (current_balance <> 0 OR debt <> 0 OR status <> 1) ORDER BY user_id LIMIT ?`,
    [bucket, above, limit],
  );
  return rows.map((row) => ({
    userId: String(row.user_id),
    balance: toSafeInteger(row.current_balance),
    debt: toSafeInteger(row.debt),
    status: Number(row.status),
  }));
}

/** What a move took from its source, and what it brought to its target: coins of accounts and of debts. */
export async function movedCoins(db: Queryable, prefix: string, users: readonly string[]): Promise<[bigint, bigint]> {
  if (users.length === 0) return [0n, 0n];
  const ids = users.map((userId) => `${prefix}${userId}`);
  const sumOf = async (rows: string, values: readonly unknown[]) => {
    const [row] = await db.query<{ sum: string | null }>(`SELECT CAST(SUM(num) AS CHAR) AS sum FROM (${rows}) n`, [
      ...values,
    ]);
    return BigInt(row?.sum ?? 0);
  };
  const select = (table: string) => `SELECT num FROM ${table} WHERE biz_id IN (?)`;
  const trades = `${select(archivedTrades.table)} UNION ALL ${select(archivedTrades.archive)}`;
  return [await sumOf(trades, [ids, ids]), await sumOf(select("t_wallet_debt"), [ids])];
}
