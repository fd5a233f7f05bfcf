import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { type Database, isDuplicateKey, type Transaction } from "../../mixins/mysql/database.ts";
import { roleHas, type StaffRole } from "../staff-roles.ts";
import { forgetAddresses } from "./attempt-store.ts";
import { type PersonMove, type PersonState, stateAfter } from "./person-state.ts";
import {
  countPersons,
  databaseNow,
  insertPerson,
  lockActiveAdmins,
  lockPerson,
  type Person,
  setDecidesFrom,
  setRole,
  setSetupCode,
  setState,
} from "./person-store.ts";
import { deleteSessionsOf } from "./session-store.ts";
import { operatorPerson } from "./sessions.ts";
import type { SetupCode } from "./staff.contract.ts";
import { tokenMacs } from "./token-macs.ts";
import { newSetupCode } from "./tokens.ts";

/** What is done to persons. Each change is one transaction. */

/** Who does it. At a console more is allowed, and nobody waits until they decide on proposals. */
interface Manager {
  readonly operator: string;
  readonly atConsole: boolean;
}

/** From when on somebody decides on proposals who is set up, or gets a role that decides, now. */
async function decidesFrom(tx: Transaction): Promise<Date> {
  return new Date((await databaseNow(tx)) + limits.staff.decidesAfterMs);
}

/** Locks the admins, then the person. Fails: personUnknown. */
async function locked(tx: Transaction, name: string): Promise<{ person: Person; admins: readonly string[] }> {
  const admins = await lockActiveAdmins(tx);
  const person = await lockPerson(tx, name);
  if (!person) throw fail("personUnknown", { name });
  return { person, admins };
}

/** Fails: personState. */
function requireMove({ state, password, name }: Person, move: PersonMove): PersonState {
  const next = stateAfter(state, move, password !== null);
  if (!next) throw fail("personState", { name, state });
  return next;
}

/** Over the page nobody takes the last active admin away; a console may, to recover. Fails: lastAdmin. */
function requireAnotherAdmin({ name }: Person, admins: readonly string[], atConsole: boolean): void {
  if (!atConsole && admins.length === 1 && admins[0] === name) throw fail("lastAdmin", { name });
}

/** A new code for the person, in the transaction. What the person had to log in with is gone. */
async function giveSetupCode(tx: Transaction, name: string, { operator, atConsole }: Manager): Promise<SetupCode> {
  const setupCode = newSetupCode();
  const expires = new Date((await databaseNow(tx)) + limits.staff.setupCodeMs);
  await setSetupCode(tx, name, {
    ...{ hash: tokenMacs().setupCode({ token: setupCode, name, expires }), expires, by: operator },
    decidesFrom: atConsole ? null : await decidesFrom(tx),
  });
  return { setupCode, expiresTime: expires.toISOString() };
}

/** See `staff.addPerson`. */
export async function addPerson(
  mysql: Database,
  { name, role }: { name: string; role: StaffRole },
  by: Manager,
): Promise<SetupCode> {
  if (name === operatorPerson) throw fail("personTaken", { name });
  try {
    return await mysql.transaction(async (tx) => {
      if ((await countPersons(tx)) >= limits.staff.personsMax)
        throw fail("business", { why: `there are ${limits.staff.personsMax} persons, disabled ones too` });
      await insertPerson(tx, name, role);
      return giveSetupCode(tx, name, by);
    });
  } catch (error) {
    if (isDuplicateKey(error)) throw fail("personTaken", { name });
    throw error;
  }
}

/** See `staff.setRole`. */
export function changeRole(mysql: Database, name: string, role: StaffRole, atConsole: boolean): Promise<null> {
  return mysql.transaction(async (tx) => {
    const { person, admins } = await locked(tx, name);
    if (role !== "admin") requireAnotherAdmin(person, admins, atConsole);
    await setRole(tx, name, role);
    if (!atConsole && roleHas(role, "decide") && !roleHas(person.role, "decide"))
      await setDecidesFrom(tx, name, await decidesFrom(tx));
    return null;
  });
}

/** See `staff.disablePerson`. */
export function disablePerson(mysql: Database, name: string, atConsole: boolean): Promise<null> {
  return mysql.transaction(async (tx) => {
    const { person, admins } = await locked(tx, name);
    const next = requireMove(person, "disable");
    requireAnotherAdmin(person, admins, atConsole);
    await setState(tx, name, next);
    await deleteSessionsOf(tx, name);
    return null;
  });
}

/** See `staff.enablePerson`. */
export function enablePerson(mysql: Database, name: string): Promise<null> {
  return mysql.transaction(async (tx) => {
    const { person } = await locked(tx, name);
    await setState(tx, name, requireMove(person, "enable"));
    return null;
  });
}

/** See `staff.resetPerson`. */
export function resetPerson(mysql: Database, name: string, by: Manager): Promise<SetupCode> {
  return mysql.transaction(async (tx) => {
    const { person, admins } = await locked(tx, name);
    requireMove(person, "reset");
    requireAnotherAdmin(person, admins, by.atConsole);
    await deleteSessionsOf(tx, name);
    await forgetAddresses(tx, name);
    return giveSetupCode(tx, name, by);
  });
}

/** See `staff.endSessions`. */
export function endSessions(mysql: Database, name: string): Promise<{ ended: number }> {
  return mysql.transaction(async (tx) => {
    await locked(tx, name);
    return { ended: await deleteSessionsOf(tx, name) };
  });
}
