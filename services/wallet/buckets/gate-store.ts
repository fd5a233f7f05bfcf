import type { Database, Queryable, Transaction } from "../../../mixins/mysql/database.ts";
import type { Gate } from "./compare-gates.ts";

/** SQL of the gates, which each server has of its own. */

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

/** A bucket's gate on a server; `undefined`: it has none. */
export async function gateOn(db: Queryable, bucket: number): Promise<Gate | undefined> {
  return (await readGates(db)).find((gate) => gate.bucket === bucket);
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

/** Makes a gate that a server lacks, closed. */
export async function addGate(db: Queryable, bucket: number): Promise<void> {
  await db.run(
    "INSERT INTO t_wallet_gate (bucket, is_open, revision) VALUES (?, 0, 0) ON DUPLICATE KEY UPDATE bucket = t_wallet_gate.bucket",
    [bucket],
  );
}

/**
 * Opens a gate at a revision, unless it has that or a later one, or a transaction holds it. `false`: one holds it. A late
 * repeat opens none that a move has closed meanwhile.
 */
export function openGateIfFree(target: Database, bucket: number, revision: number): Promise<boolean> {
  return target.transaction(async (tx) => {
    const free = await tx.query("SELECT bucket FROM t_wallet_gate WHERE bucket = ? FOR UPDATE SKIP LOCKED", [bucket]);
    if (free.length === 0) return false;
    await tx.run("UPDATE t_wallet_gate SET is_open = 1, revision = ? WHERE bucket = ? AND revision < ?", [
      ...[revision, bucket, revision],
    ]);
    return true;
  });
}

/** Whether the gate is older than a revision; in a transaction it stays so until that ends. */
export async function isBefore(db: Queryable, bucket: number, revision: number): Promise<boolean> {
  const [row] = await db.query<GateRow>(
    "SELECT bucket, is_open, revision FROM t_wallet_gate WHERE bucket = ? LOCK IN SHARE MODE",
    [bucket],
  );
  return row !== undefined && Number(row.revision) < revision;
}
