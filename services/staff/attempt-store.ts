import { limits } from "../../config/limits.ts";
import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";
import type { AttemptKind, Failures } from "./pauses.ts";

/** The SQL of failed logins and of the addresses from which persons have logged in. */

/** A row's key. */
export interface AttemptKey {
  readonly kind: AttemptKind;
  readonly name: string;
  readonly address: string;
}

const numbers: Readonly<Record<AttemptKind, number>> = { pair: 1, address: 2, person: 3 };

/** The rows that a try counts in, in the order in which they are locked. */
export function keysOf(name: string, address: string, isKnown: boolean): AttemptKey[] {
  const pair: AttemptKey = { kind: "pair", name, address };
  if (isKnown) return [pair];
  return [pair, { kind: "address", name: "", address }, { kind: "person", name, address: "" }];
}

const placeOf = ({ kind, name, address }: AttemptKey) => [numbers[kind], name, address];

interface AttemptRow {
  readonly failures: number;
  readonly failed_time: Date;
}

async function readRow(db: Queryable, key: AttemptKey, lock: "" | "FOR UPDATE"): Promise<Failures> {
  const [row] = await db.query<AttemptRow>(
    `SELECT failures, failed_time FROM t_staff_attempt WHERE kind = ? AND name = ? AND address = ? ${lock}`,
    placeOf(key),
  );
  return { kind: key.kind, failures: Number(row?.failures ?? 0), failedTime: row?.failed_time.getTime() ?? 0 };
}

/** The counts in the order of the keys, without locks; 0 where there is no row. */
export async function readFailures(db: Queryable, keys: readonly AttemptKey[]): Promise<Failures[]> {
  const rows: Failures[] = [];
  for (const key of keys) rows.push(await readRow(db, key, ""));
  return rows;
}

/** Locks the rows until the end of the transaction; those that are missing are made. */
export async function lockFailures(tx: Transaction, keys: readonly AttemptKey[]): Promise<Failures[]> {
  const rows: Failures[] = [];
  for (const key of keys) {
    await tx.run(
      `INSERT INTO t_staff_attempt (kind, name, address, failures, failed_time) VALUES (?, ?, ?, 0, UTC_TIMESTAMP(3))
       ON DUPLICATE KEY UPDATE failures = failures`,
      placeOf(key),
    );
    rows.push(await readRow(tx, key, "FOR UPDATE"));
  }
  return rows;
}

/** A failure that was counted in advance, in one row. Times are ms since 1970. */
export interface Counted {
  readonly key: AttemptKey;
  readonly time: number;
  /** The time of the failure before it. */
  readonly former: number;
}

/** Sets a count and the time of its latest failure, in a row that `lockFailures` has locked. */
export async function setFailures(tx: Transaction, key: AttemptKey, failures: number, time: number): Promise<void> {
  await tx.run("UPDATE t_staff_attempt SET failures = ?, failed_time = ? WHERE kind = ? AND name = ? AND address = ?", [
    failures,
    new Date(time),
    ...placeOf(key),
  ]);
}

/**
 * Takes one failure off that was counted in advance; the pause is that of the failure before it again, unless another
 * one was counted since.
 */
export async function takeOneOff(tx: Transaction, { key, time, former }: Counted): Promise<void> {
  await tx.run(
    `UPDATE t_staff_attempt SET failures = failures - 1, failed_time = IF(failed_time = ?, ?, failed_time)
     WHERE kind = ? AND name = ? AND address = ? AND failures > 0`,
    [new Date(time), new Date(former), ...placeOf(key)],
  );
}

/** After a right try: takes the failure off that was counted in advance; of a pair all of them. */
export async function takeOff(tx: Transaction, counted: Counted): Promise<void> {
  if (counted.key.kind === "pair") await forgetFailures(tx, counted.key);
  else await takeOneOff(tx, counted);
}

/** Takes all failures of a row off. */
export async function forgetFailures(tx: Transaction, key: AttemptKey): Promise<void> {
  await tx.run("DELETE FROM t_staff_attempt WHERE kind = ? AND name = ? AND address = ?", placeOf(key));
}

/** Whether the person has logged in from this address within `limits.staff.addressesKeptMs`. */
export async function isKnownAddress(db: Queryable, name: string, address: string): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 AS known FROM t_staff_address
     WHERE name = ? AND address = ? AND login_time > UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND`,
    [name, address, limits.staff.addressesKeptMs * 1_000],
  );
  return rows.length > 0;
}

/** Keeps an address; those beyond the bound are forgotten, the longest unused first. */
export async function keepAddress(tx: Transaction, name: string, address: string): Promise<void> {
  await tx.run(
    `INSERT INTO t_staff_address (name, address, login_time) VALUES (?, ?, UTC_TIMESTAMP(3))
     ON DUPLICATE KEY UPDATE login_time = VALUES(login_time)`,
    [name, address],
  );
  const others = await tx.query<{ address: string }>(
    `SELECT address FROM t_staff_address WHERE name = ? AND address <> ?
     ORDER BY login_time DESC LIMIT 1000 OFFSET ${limits.staff.addressesPerPerson - 1}`,
    [name, address],
  );
  for (const other of others)
    await tx.run("DELETE FROM t_staff_address WHERE name = ? AND address = ?", [name, other.address]);
}

/** Of somebody who was reset: whoever was let in by the old password is a stranger. */
export async function forgetAddresses(tx: Transaction, name: string): Promise<void> {
  await tx.run("DELETE FROM t_staff_address WHERE name = ?", [name]);
}

/** Removes what counts no longer, at most `limits.staff.purgeRows` of each table. Returns whether there is more. */
export async function purgeAttempts(db: Queryable): Promise<boolean> {
  const { failuresKeptMs, addressesKeptMs, purgeRows } = limits.staff;
  const old = (table: string, column: string, keptMs: number) =>
    db.run(`DELETE FROM ${table} WHERE ${column} < UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND LIMIT ?`, [
      ...[keptMs * 1_000, purgeRows],
    ]);
  const attempts = await old("t_staff_attempt", "failed_time", failuresKeptMs);
  const addresses = await old("t_staff_address", "login_time", addressesKeptMs);
  return attempts.affectedRows === purgeRows || addresses.affectedRows === purgeRows;
}
