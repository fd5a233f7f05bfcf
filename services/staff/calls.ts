import { fail, failureName } from "../../broker/failure.ts";
import type { FailureName } from "../../config/errors.ts";
import { isDuplicateKey } from "../../mixins/mysql/database.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { SealsState } from "../../mixins/seals.mixin.ts";
import { isShownText } from "../shown-text.ts";
import { type Right, roleHas, type StaffRole } from "../staff-roles.ts";
import { type AuditFilter, addEntry, isCall, readCalls } from "./audit-store.ts";
import { cutParams } from "./cut-params.ts";
import { callerOf } from "./sessions.ts";
import type { AuditedStaffCall } from "./staff.contract.ts";

/** The calls of persons: each is in the audit before it is carried out, and what came of it after. */

interface BegunCall {
  readonly session: string;
  readonly route: string;
  readonly right: Right;
  readonly params: Readonly<Record<string, unknown>>;
  readonly about?: string | undefined;
  readonly address: string;
  readonly requestId?: string | undefined;
}

/** See `staff.begin`. */
export async function beginCall(
  { mysql, seals }: MysqlState & SealsState,
  call: BegunCall,
): Promise<{ callId: string; name: string; role: StaffRole }> {
  const { name, role } = await callerOf(mysql, call.session);
  const allowed = roleHas(role, call.right);
  const callId = await addEntry(mysql, seals, {
    ...{ callId: null, person: name, role, address: call.address, route: call.route, about: call.about ?? null },
    ...{ params: cutParams(call.params), outcome: allowed ? "started" : "roleMissing" },
    requestId: call.requestId ?? null,
  });
  if (!allowed) throw fail("roleMissing", { right: call.right });
  return { callId, name, role };
}

/** Refusals that leave no row: there may be many of them. */
const unnoted: ReadonlySet<FailureName | undefined> = new Set(["tooMany", "unavailable"] as const);

/**
 * Carries out a login or a half of an enrolment, which has one row in the audit, with its outcome. It is durable before
 * the answer.
 */
export async function auditedLogin<Result extends { role: StaffRole } | { totpUri: string }>(
  { mysql, seals }: MysqlState & SealsState,
  about: { name: string; address: string; route: string; requestId: string | null },
  carryOut: () => Promise<Result>,
): Promise<Result> {
  const { name, address, route } = about;
  // It comes with the call, not with its checked params: see `staff.begin`.
  const requestId = about.requestId !== null && isShownText(about.requestId) ? about.requestId : null;
  const note = (role: StaffRole | null, outcome: string) =>
    addEntry(mysql, seals, {
      ...{ callId: null, person: name, role, address, route, about: null, params: "{}", outcome, requestId },
    });
  let result: Result;
  try {
    result = await carryOut();
  } catch (error) {
    const failure = failureName(error);
    if (!unnoted.has(failure)) await note(null, failure ?? "fault");
    throw error;
  }
  await note("role" in result ? result.role : null, "succeeded");
  return result;
}

const noCall = { person: null, role: null, address: null, route: null, about: null, params: null, requestId: null };

/** See `staff.finish`. */
export async function finishCall(
  { mysql, seals }: MysqlState & SealsState,
  { callId, outcome }: { callId: string; outcome: string },
): Promise<null> {
  if (!(await isCall(mysql, callId))) throw fail("invalidParam", { field: "callId" });
  try {
    await addEntry(mysql, seals, { ...noCall, callId, outcome });
  } catch (error) {
    // The first outcome stays.
    if (!isDuplicateKey(error)) throw error;
  }
  return null;
}

/** See `staff.audit`. */
export async function auditPage(
  { mysql }: MysqlState,
  filter: AuditFilter,
): Promise<{ list: AuditedStaffCall[]; nextCursor: string | null }> {
  const found = await readCalls(mysql, { ...filter, limit: filter.limit + 1 });
  const list = found.slice(0, filter.limit);
  return { list, nextCursor: found.length > filter.limit ? (list.at(-1)?.callId ?? null) : null };
}
