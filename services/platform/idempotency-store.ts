import { limits } from "../../config/limits.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import { type KeptKey, keyStateOf, keyStates, statesBefore } from "./idempotency-state.ts";
import type { BegunWrite, FinishedWrite } from "./platform.contract.ts";

/** The SQL of idempotency keys. Attempts and fingerprints are hex outside, bytes inside. */

const bytes = (hex: string) => Buffer.from(hex, "hex");

const leaseUs = limits.platform.leaseMs * 1_000;

/**
 * Begins keys that are not there, all in one statement, in the order of the keys, so that two nodes lock them in one
 * order. @throws a duplicate-key error where one of them is there: then none was begun
 */
export async function insertBegun(db: Queryable, writes: readonly BegunWrite[]): Promise<void> {
  if (writes.length === 0) return;
  const times = "UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)";
  const rows = writes.map(() => `(?, ?, ?, ?, ${times})`);
  await db.run(
    `INSERT INTO t_idempotency (idempotency_key, fingerprint, state, attempt, lease_time, earlier_lease_time, create_time)
     VALUES ${rows.join(", ")}`,
    writes.flatMap((write) => [
      ...[write.key, bytes(write.fingerprint), keyStates.underWay, bytes(write.attempt), leaseUs],
    ]),
  );
}

export interface StoredKey extends KeptKey {
  readonly answer: string | null;
}

/** The rows of these keys. */
export async function findKeys(db: Queryable, keys: readonly string[]): Promise<Map<string, StoredKey>> {
  if (keys.length === 0) return new Map();
  const rows = await db.query<{
    idempotency_key: string;
    fingerprint: Buffer;
    state: number;
    attempt: Buffer;
    is_over: number;
    earlier_are_over: number;
    answer: string | null;
  }>(
    `SELECT idempotency_key, fingerprint, state, attempt, answer, lease_time <= UTC_TIMESTAMP(3) AS is_over,
       earlier_lease_time <= UTC_TIMESTAMP(3) AS earlier_are_over
     FROM t_idempotency WHERE idempotency_key IN (?)`,
    [keys],
  );
  const entries = rows.map((row): [string, StoredKey] => [
    row.idempotency_key,
    {
      fingerprint: row.fingerprint.toString("hex"),
      state: keyStateOf(Number(row.state)),
      attempt: row.attempt.toString("hex"),
      leaseIsOver: Number(row.is_over) === 1,
      earlierLeasesAreOver: Number(row.earlier_are_over) === 1,
      answer: row.answer,
    },
  ]);
  return new Map(entries);
}

/**
 * Begins a key again in place of the attempt that was read. Returns whether that attempt was still the last one. The lease
 * of one that has not ended counts on; `create_time` is its last beginning. The database sets the columns in this order.
 */
export async function takeOver(db: Queryable, write: BegunWrite, from: StoredKey): Promise<boolean> {
  const { affectedRows } = await db.run(
    `UPDATE t_idempotency SET earlier_lease_time = IF(state = ?, GREATEST(earlier_lease_time, lease_time),
       earlier_lease_time), state = ?, attempt = ?, lease_time = UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND,
       create_time = UTC_TIMESTAMP(3)
     WHERE idempotency_key = ? AND attempt = ? AND state IN (?)`,
    [
      ...[keyStates.underWay, keyStates.underWay, bytes(write.attempt), leaseUs, write.key, bytes(from.attempt)],
      statesBefore("underWay"),
    ],
  );
  return affectedRows === 1;
}

/**
 * Ends an attempt. Returns whether it was the last one of its key. A repeat of the same end finds its own and is `true`
 * too: the attempt stands for one end alone.
 */
export async function finishAttempt(db: Queryable, { key, attempt, answer }: FinishedWrite): Promise<boolean> {
  const next = answer === undefined ? "free" : "answered";
  const { affectedRows } = await db.run(
    `UPDATE t_idempotency SET state = ?, answer = ?
     WHERE idempotency_key = ? AND attempt = ? AND state IN (?)`,
    [keyStates[next], answer ?? null, key, bytes(attempt), [...statesBefore(next), keyStates[next]]],
  );
  return affectedRows === 1;
}

/** Deletes keys that began too long ago. Returns whether there may be more. */
export async function purgeKeys(db: Queryable): Promise<boolean> {
  const { answersKeptMs, purgeRows } = limits.platform;
  const { affectedRows } = await db.run(
    `DELETE FROM t_idempotency WHERE create_time < UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND
     ORDER BY create_time LIMIT ?`,
    [answersKeptMs * 1_000, purgeRows],
  );
  return affectedRows === purgeRows;
}
