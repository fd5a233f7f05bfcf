import type { Context, Service } from "moleculer";
import { consoleName, roleOfNode } from "../../broker/bus/subjects.ts";
import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import type { Database, Transaction } from "../../mixins/mysql/database.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { operatorToken } from "../operator-token.ts";
import { type Right, rightsOf, roleHas, type StaffRole } from "../staff-roles.ts";
import { databaseNow } from "./person-store.ts";
import { deleteSession, deleteSessionOfToken, findSession, insertSession, sessionsOf } from "./session-store.ts";
import type { StaffLogin, StaffSession, StaffSessionView } from "./staff.contract.ts";
import { tokenMacs } from "./token-macs.ts";
import { csrfOf, isSameSecret, newSessionToken, tokenHash } from "./tokens.ts";

/** Who calls. */
export interface StaffCaller {
  readonly name: string;
  readonly role: StaffRole;
  /** `null`: the person of OPERATOR_TOKEN, who has no session. */
  readonly sessionId: string | null;
  readonly expires: Date;
}

/** The person that OPERATOR_TOKEN is in the local profile; nobody else may have the name. */
export const operatorPerson = "operator";

const tokenForm = /^token:(.+)$/s;

/** Whether a text is `token:` and OPERATOR_TOKEN, which counts in the local profile alone. */
function isOperatorToken(session: string): boolean {
  const [kept, presented] = [operatorToken(), tokenForm.exec(session)?.[1]];
  return kept !== undefined && presented !== undefined && isSameSecret(presented, kept);
}

/**
 * Whose session it is. It is looked up at each call, so a session that was ended, or a person who was disabled, is
 * refused at once on every node; so is a row that no staff node made. Fails: notLoggedIn, unavailable.
 */
export async function callerOf(mysql: Database, session: string): Promise<StaffCaller> {
  if (isOperatorToken(session)) {
    const expires = new Date(Date.now() + limits.staff.sessionMs);
    return { name: operatorPerson, role: "admin", sessionId: null, expires };
  }
  const kept = await findSession(mysql, tokenHash(session));
  if (!kept || !tokenMacs().isSession(kept.mac, { token: session, name: kept.name, expires: kept.expires }))
    throw fail("notLoggedIn");
  return { name: kept.name, role: kept.role, sessionId: kept.id, expires: kept.expires };
}

/** The person, if the staff role has the right. Fails: notLoggedIn, roleMissing, unavailable. */
export async function callerWith(mysql: Database, session: string, right: Right): Promise<StaffCaller> {
  const caller = await callerOf(mysql, session);
  if (!roleHas(caller.role, right)) throw fail("roleMissing", { right });
  return caller;
}

interface Managed {
  readonly session?: string | undefined;
  readonly operator: string;
}

/**
 * Who carries out what the door or a console asks for. A console's person may do it, as the operator that the bus has
 * put into the params. Everybody else shows a session with the right, whose person is the operator: a door can act for
 * nobody whose session it does not have. Fails: notLoggedIn, roleMissing, callerRefused, unavailable.
 */
export async function managerOf(
  { mysql }: Service & MysqlState,
  { nodeID, params: { session, operator } }: Pick<Context<Managed>, "nodeID" | "params">,
  right: Right,
): Promise<{ operator: string; atConsole: boolean }> {
  if (nodeID && roleOfNode(nodeID) === "console") return { operator: consoleName(nodeID), atConsole: true };
  if (session === undefined) throw fail("notLoggedIn");
  const { name } = await callerWith(mysql, session, right);
  if (operator !== `staff:${name}`) throw fail("callerRefused");
  return { operator, atConsole: false };
}

const shown = (token: string, { name, role, expires }: Omit<StaffCaller, "sessionId">): StaffSession => ({
  ...{ name, role, rights: rightsOf(role), csrf: csrfOf(token), expiresTime: expires.toISOString() },
});

/** See `staff.session`. */
export async function showSession(mysql: Database, session: string): Promise<StaffSession> {
  return shown(session, await callerOf(mysql, session));
}

/** Opens a session in the transaction of the login. */
export async function openSession(
  tx: Transaction,
  { name, role, address }: { name: string; role: StaffRole; address: string },
): Promise<StaffLogin> {
  const token = newSessionToken();
  const expires = new Date((await databaseNow(tx)) + limits.staff.sessionMs);
  const mac = tokenMacs().session({ token, name, expires });
  await insertSession(tx, { name, address, hash: tokenHash(token), mac, expires });
  return { session: token, ...shown(token, { name, role, expires }) };
}

/** See `staff.logout`. */
export async function logout(mysql: Database, session: string): Promise<null> {
  await deleteSessionOfToken(mysql, tokenHash(session));
  return null;
}

/** See `staff.sessionsOf`. */
export async function ownSessions(mysql: Database, session: string): Promise<{ list: StaffSessionView[] }> {
  const { name, sessionId } = await callerOf(mysql, session);
  const list = await sessionsOf(mysql, name);
  return { list: list.map((one) => ({ ...one, current: one.sessionId === sessionId })) };
}

/** See `staff.endSession`. */
export async function endOwnSession(mysql: Database, session: string, sessionId: string): Promise<null> {
  const { name } = await callerOf(mysql, session);
  if (!(await deleteSession(mysql, name, sessionId))) throw fail("sessionUnknown", { sessionId });
  return null;
}
