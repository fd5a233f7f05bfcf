import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";
import type { StaffRole } from "../staff-roles.ts";
import type { PersonState } from "./person-state.ts";
import type { PersonView } from "./staff.contract.ts";

/** The SQL of persons. */

export interface Person {
  readonly name: string;
  readonly role: StaffRole;
  readonly state: PersonState;
  /** `null`: not enrolled. */
  readonly password: string | null;
  readonly totpSecret: string | null;
  /** The MAC of the setup code (token-macs.ts); `null` where there is none that is valid. */
  readonly setupHash: Buffer | null;
  readonly setupExpires: Date | null;
}

interface PersonRow {
  readonly name: string;
  readonly role: StaffRole;
  readonly state: PersonState;
  readonly password: string | null;
  readonly totp_secret: string | null;
  readonly setup_hash: Buffer | null;
  readonly setup_expires_time: Date | null;
}

/** The database's time, ms since 1970. */
export async function databaseNow(db: Queryable): Promise<number> {
  const [row] = await db.query<{ now: Date }>("SELECT UTC_TIMESTAMP(3) AS now");
  return (row as { now: Date }).now.getTime();
}

async function readPerson(db: Queryable, name: string, lock: "" | "FOR UPDATE"): Promise<Person | undefined> {
  const [row] = await db.query<PersonRow>(
    `SELECT name, role, state, password, totp_secret, setup_expires_time,
            IF(setup_expires_time > UTC_TIMESTAMP(3), setup_hash, NULL) AS setup_hash
     FROM t_staff_person WHERE name = ? ${lock}`,
    [name],
  );
  if (!row) return undefined;
  const { role, state, password, totp_secret: totpSecret, setup_hash: setupHash } = row;
  return { name: row.name, role, state, password, totpSecret, setupHash, setupExpires: row.setup_expires_time };
}

/** A person as they are; a setup code that has expired is left out. */
export const findPerson = (db: Queryable, name: string) => readPerson(db, name, "");
/** The same, locked until the end of the transaction. */
export const lockPerson = (tx: Transaction, name: string) => readPerson(tx, name, "FOR UPDATE");

/** Locks the active admins until the end of the transaction. Returns their names. */
export async function lockActiveAdmins(tx: Transaction): Promise<string[]> {
  const rows = await tx.query<{ name: string }>(
    "SELECT name FROM t_staff_person WHERE role = 'admin' AND state = 'active' ORDER BY name FOR UPDATE",
  );
  return rows.map(({ name }) => name);
}

/** Disabled ones too: names are never given again. */
export async function countPersons(db: Queryable): Promise<number> {
  const [row] = await db.query<{ persons: string }>("SELECT COUNT(*) AS persons FROM t_staff_person");
  return Number(row?.persons ?? 0);
}

/** Throws an error with `isDuplicateKey` where there is one of this name. */
export async function insertPerson(tx: Transaction, name: string, role: StaffRole): Promise<void> {
  await tx.run(
    "INSERT INTO t_staff_person (name, role, state, create_time) VALUES (?, ?, 'invited', UTC_TIMESTAMP(3))",
    [name, role],
  );
}

/** In force at the person's next call once it is committed. The caller has made sure that an admin is left. */
export async function setRole(tx: Transaction, name: string, role: StaffRole): Promise<void> {
  await tx.run("UPDATE t_staff_person SET role = ? WHERE name = ?", [role, name]);
}

/**
 * Disables or enables a person. The caller has locked the row and checked the move (person-state.ts). A person gets to
 * `invited` by `setSetupCode`.
 */
export async function setState(tx: Transaction, name: string, state: PersonState): Promise<void> {
  await tx.run("UPDATE t_staff_person SET state = ? WHERE name = ?", [state, name]);
}

/** A setup code, who gave it, and from when on its person decides on proposals (`null`: at once). */
export interface NewSetupCode {
  readonly hash: Buffer;
  readonly expires: Date;
  readonly by: string;
  readonly decidesFrom: Date | null;
}

/** Takes password and app away and sets a setup code: the person is invited. */
export async function setSetupCode(tx: Transaction, name: string, code: NewSetupCode): Promise<void> {
  await tx.run(
    `UPDATE t_staff_person SET state = 'invited', password = NULL, totp_secret = NULL, totp_step = 0, setup_hash = ?,
       setup_expires_time = ?, setup_by = ?, decides_from = ? WHERE name = ?`,
    [code.hash, code.expires, code.by, code.decidesFrom, name],
  );
}

export async function setDecidesFrom(tx: Transaction, name: string, from: Date): Promise<void> {
  await tx.run("UPDATE t_staff_person SET decides_from = ? WHERE name = ?", [from, name]);
}

export interface SetUp {
  readonly name: string;
  readonly setupBy: string | null;
  /** `null`: the person decides; else from when on. */
  readonly decidesFrom: Date | null;
}

/** The person, and those to whom this operator gave the last setup code. */
export async function setUpsAbout(db: Queryable, name: string, operator: string): Promise<SetUp[]> {
  const rows = await db.query<{ name: string; setup_by: string | null; decides_from: Date | null }>(
    `SELECT name, setup_by, IF(decides_from > UTC_TIMESTAMP(3), decides_from, NULL) AS decides_from
     FROM t_staff_person WHERE name = ? OR setup_by = ?`,
    [name, operator],
  );
  return rows.map((row) => ({ name: row.name, setupBy: row.setup_by, decidesFrom: row.decides_from }));
}

/** Sets the secret of the app of who still has this setup code. Returns whether that was so. */
export async function offerTotpSecret(db: Queryable, { name, setupHash }: Person, sealed: string): Promise<boolean> {
  const { affectedRows } = await db.run(
    "UPDATE t_staff_person SET totp_secret = ? WHERE name = ? AND state = 'invited' AND setup_hash = ?",
    [sealed, name, setupHash],
  );
  return affectedRows === 1;
}

/** Ends the enrolment of who is still as they were read. Returns whether that was so. */
export async function enrol(tx: Transaction, person: Person, password: string, step: number): Promise<boolean> {
  const { name, setupHash, totpSecret } = person;
  const { affectedRows } = await tx.run(
    `UPDATE t_staff_person SET state = 'active', password = ?, totp_step = GREATEST(totp_step, ?), setup_hash = NULL,
       setup_expires_time = NULL, last_login_time = UTC_TIMESTAMP(3)
     WHERE name = ? AND state = 'invited' AND setup_hash = ? AND totp_secret = ? AND totp_step < ?`,
    [password, step, name, setupHash, totpSecret, step],
  );
  return affectedRows === 1;
}

/**
 * Consumes a step of the app, of who is active and still has the password and the app as they were read. Returns whether
 * it was not consumed before: of two logins with one code one gets true.
 */
export async function consumeStep(tx: Transaction, person: Person, step: number): Promise<boolean> {
  const { name, password, totpSecret } = person;
  const { affectedRows } = await tx.run(
    `UPDATE t_staff_person SET totp_step = ?
     WHERE name = ? AND state = 'active' AND password = ? AND totp_secret = ? AND totp_step < ?`,
    [step, name, password, totpSecret, step],
  );
  return affectedRows === 1;
}

/** Notes the present as the time of the latest login. */
export async function noteLogin(tx: Transaction, name: string): Promise<void> {
  await tx.run("UPDATE t_staff_person SET last_login_time = UTC_TIMESTAMP(3) WHERE name = ?", [name]);
}

/** `password` is the hash with its parameters (passwords.ts). */
export async function setPassword(tx: Transaction, name: string, password: string): Promise<void> {
  await tx.run("UPDATE t_staff_person SET password = ? WHERE name = ?", [password, name]);
}

interface ListedRow extends PersonRow {
  readonly create_time: Date;
  readonly last_login_time: Date | null;
  readonly sessions: string;
}

/** Every person, disabled ones too, by name, with the number of sessions that have not expired. */
export async function allPersons(db: Queryable): Promise<PersonView[]> {
  const rows = await db.query<ListedRow>(
    `SELECT p.name, p.role, p.state, p.create_time, p.last_login_time, COUNT(s.id) AS sessions
     FROM t_staff_person p LEFT JOIN t_staff_session s ON s.name = p.name AND s.expires_time > UTC_TIMESTAMP(3)
     GROUP BY p.name, p.role, p.state, p.create_time, p.last_login_time ORDER BY p.name`,
  );
  return rows.map(({ name, role, state, create_time, last_login_time, sessions }) => ({
    ...{ name, role, state, sessions: Number(sessions) },
    createTime: create_time.toISOString(),
    lastLoginTime: last_login_time?.toISOString() ?? null,
  }));
}
