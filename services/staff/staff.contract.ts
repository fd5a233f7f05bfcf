import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { cursor, isoTime, operator, text } from "../fields.ts";
import { sealedEvent } from "../sealed-event.ts";
import { type Right, right, type StaffRole, staffRole } from "../staff-roles.ts";
import { carryOutActions } from "./carried-out.contract.ts";
import { staffDeadLetterActions } from "./dead-letters.contract.ts";
import { erasureStaffActions } from "./erasures.contract.ts";
import { proposalActions } from "./proposals.contract.ts";
import { session } from "./session.contract.ts";

/** The staff service as other services see it. */

export const personName = z.string().regex(/^[a-z0-9-]{1,40}$/);

export { session };

/** The caller's address as the door knows it. */
const address = text(1, 45);

const password = z.string().min(1).max(limits.staff.passwordCharsMax);
const totp = z.string().min(1).max(16);
/** A setup code. */
const code = z.string().min(1).max(100);

/** What a person gets at a login, and of a session. */
export interface StaffSession {
  name: string;
  role: StaffRole;
  rights: readonly Right[];
  /** Derived from the session. What a browser sends by cookie counts only with it in X-CSRF-Token. */
  csrf: string;
  expiresTime: string;
}

/** Of a login: the only answer that has the token. */
export interface StaffLogin extends StaffSession {
  session: string;
}

export interface PersonView {
  name: string;
  role: StaffRole;
  state: "invited" | "active" | "disabled";
  createTime: string;
  lastLoginTime: string | null;
  /** Sessions that have not ended. */
  sessions: number;
}

/** A setup code: the only answer that has it. */
export interface SetupCode {
  setupCode: string;
  expiresTime: string;
}

export interface StaffSessionView {
  sessionId: string;
  address: string;
  createTime: string;
  expiresTime: string;
  /** Whether it is the one that asks. */
  current: boolean;
}

/** One call of a person, and what came of it. */
export interface AuditedStaffCall {
  callId: string;
  time: string;
  /** Of a login: who was named, whoever that was. */
  person: string;
  /** `null`: of a login that failed, and of the first half of an enrolment. */
  role: StaffRole | null;
  address: string;
  route: string;
  about: string | null;
  /**
   * As the door gave them: without secrets and phone numbers. Longer ones than `limits.staff.auditParamsBytes` are cut.
   * `null`: they were erased, with the user whom the call is about or after AUDIT_KEEP_DAYS.
   */
  params: Record<string, unknown> | null;
  /** `succeeded` or the name of a failure; `null`: none was written, since the node died, or is at it. */
  outcome: string | null;
  outcomeTime: string | null;
}

const callId = z.string().regex(/^[1-9]\d{0,18}$/);
const sessionId = callId;

/**
 * Who manages: the door gives the `session` of the person who asks, with the operator `staff:<name>` that it belongs to; a
 * console needs none. Fails beside what each action names: notLoggedIn, roleMissing; callerRefused, where the operator
 * is another one than the session's person.
 */
const managed = { session: session.optional(), operator };
const named = { name: personName, ...managed };

export const staffActions = {
  ...staffDeadLetterActions,
  /** Moves of money that wait for another person: how many, up to `limits.metrics.countedRows`. Fails: unavailable. */
  figures: action({}).returns<{ openProposals: number }>(),
  ...proposalActions,
  ...erasureStaffActions,
  ...carryOutActions,

  /**
   * Opens a session of `limits.staff.sessionMs`; durable when it returns, and so is its row in the audit, which a login
   * that fails has too, unless by tooMany. A code of the app is accepted once. Fails:
   * staffLoginWrong (whatever was wrong), tooMany (too many failures; data `waitMs`), unavailable.
   */
  login: action({ name: personName, password, totp, address }).returns<StaffLogin>(),
  /**
   * First half of the enrolment: a new secret for the app, of who has the setup code. The secret of an earlier call
   * counts for nothing then: who else has the code knows no secret that is in use. It has a row in the audit, as a login.
   * Fails: staffLoginWrong, tooMany, unavailable.
   */
  enrolBegin: action({ name: personName, code, address }).returns<{ totpUri: string }>(),
  /**
   * Second half: sets the password, and the app's first code proves it. Consumes the setup code and opens a session.
   * Fails: staffLoginWrong (name or setup code), passwordWeak, totpWrong, tooMany, unavailable.
   */
  enrolFinish: action({ name: personName, code, password, totp, address }).returns<StaffLogin>(),
  /** Fails: notLoggedIn, unavailable. */
  session: action({ session }).returns<StaffSession>(),
  /** Ends the session on every node at once. A repeat changes nothing. Fails: unavailable. */
  logout: action({ session }).returns<null>(),
  /**
   * Sets another password and ends the person's other sessions. Fails: notLoggedIn, staffLoginWrong, passwordWeak,
   * tooMany, unavailable.
   */
  changePassword: action({ session, password, newPassword: password, totp, address }).returns<null>(),
  /** The caller's own sessions, the latest first. Fails: notLoggedIn, unavailable. */
  sessionsOf: action({ session }).returns<{ list: StaffSessionView[] }>(),
  /** Ends one of the caller's own sessions. Fails: notLoggedIn, sessionUnknown, unavailable. */
  endSession: action({ session, sessionId }).returns<null>(),

  /**
   * Begins a call of a person: checks the session and the right, and writes the audit's row, durable when it returns.
   * `params`: without passwords, codes, secrets and phone numbers, which the door leaves out.
   * `about`: the id of the user, order etc. that the call concerns. No text has control characters, which separate the
   * values in what is sealed. Fails: notLoggedIn (no row), roleMissing (a row with
   * this outcome), unavailable (a row without an outcome may be there).
   */
  begin: action({
    session,
    route: text(1, limits.staff.routeChars),
    right,
    params: z.record(z.string(), z.unknown()),
    about: text(0, limits.staff.aboutChars).optional(),
    address,
    requestId: text(0, 100).optional(),
  }).returns<{ callId: string; name: string; role: StaffRole }>(),
  /**
   * Writes what came of a call: `succeeded` or the name of a failure. Durable when it returns; a repeat changes nothing.
   * Fails: unavailable.
   */
  finish: action({ callId, outcome: text(1, 100) }).returns<null>(),
  /** The audit, the latest first; each filter narrows it. `from` and `to`: the time of the call. Fails: unavailable. */
  audit: action({
    ...managed,
    person: z
      .string()
      .regex(/^[\x20-\x7e]{0,100}$/)
      .optional(),
    route: z.string().max(limits.staff.routeChars).optional(),
    about: z.string().max(limits.staff.aboutChars).optional(),
    from: isoTime.optional(),
    to: isoTime.optional(),
    cursor,
    limit: z.int().min(1).max(limits.staff.auditPage).default(50),
  }).returns<{ list: AuditedStaffCall[]; nextCursor: string | null }>(),

  /** Every person, by name. Fails: unavailable. */
  persons: action(managed).returns<{ list: PersonView[] }>(),
  /** Invites a person. Fails: personTaken, business (there are as many persons as may be), unavailable. */
  addPerson: action({ ...named, role: staffRole }).returns<SetupCode>(),
  /** In force at the person's next call. Fails: personUnknown, lastAdmin, unavailable. */
  setRole: action({ ...named, role: staffRole }).returns<null>(),
  /** Ends the sessions too, on every node at once. Fails: personUnknown, personState, lastAdmin, unavailable. */
  disablePerson: action(named).returns<null>(),
  /** Fails: personUnknown, personState, unavailable. */
  enablePerson: action(named).returns<null>(),
  /**
   * Takes password and app away, ends the sessions, and gives a new setup code. Fails: personUnknown, personState (who is
   * disabled is enabled first), lastAdmin, unavailable.
   */
  resetPerson: action(named).returns<SetupCode>(),
  /** Fails: personUnknown, unavailable. */
  endSessions: action(named).returns<{ ended: number }>(),
};

export const staffEvents = {
  /** Of the seals of the staff service's audits. */
  "staff.books-sealed": sealedEvent,
};
