import { createHash } from "node:crypto";
import { fail } from "../../broker/failure.ts";
import type { ParamsOf, ResultOf } from "../../services/contracts.ts";
import type { StaffSession } from "../../services/staff/staff.contract.ts";
import { rightsOf, roleHas, type StaffRole } from "../../services/staff-roles.ts";

/** The staff service as a gateway sees it: a person of each role, with a session. */

export const roles: readonly StaffRole[] = ["viewer", "support", "finance", "admin"];

/** The token of a role's person. */
export const sessionOf = (role: StaffRole) => `session-of-${role}-${"s".repeat(32)}`;
export const personOf = (role: StaffRole) => `ada-${role}`;
export const csrfOf = (role: StaffRole) => createHash("sha256").update(sessionOf(role)).digest("base64url");

const expiresTime = new Date(Date.now() + 12 * 3_600_000).toISOString();

function roleOf(session: string): StaffRole {
  if (session === `token:${process.env.OPERATOR_TOKEN}`) return "admin";
  const role = roles.find((one) => sessionOf(one) === session);
  if (!role) throw fail("notLoggedIn");
  return role;
}

function shown(session: string): StaffSession {
  const role = roleOf(session);
  return { name: personOf(role), role, rights: rightsOf(role), csrf: csrfOf(role), expiresTime };
}

/** Of a session. Fails: notLoggedIn. */
export const nameIn = (session: string): string => shown(session).name;

let calls = 0;

const login = { ...shown(sessionOf("admin")), session: sessionOf("admin") };

/** What every kind of a move that is carried out answers. */
const moved = {
  ...{ orderId: "pay-order-1", productId: 6, status: 5, coinNum: 60, amount: 6_000 },
  ...{ userId: "77", balanceAfter: 5, points: 5, payoutId: "p-1", time: expiresTime },
};

/** Of the staff service's actions, for the neighbours of a gateway. */
export const staffAnswers = {
  "staff.session": ({ session }: ParamsOf<"staff.session">) => shown(session),
  "staff.begin": ({ session, right }: ParamsOf<"staff.begin">): ResultOf<"staff.begin"> => {
    const role = roleOf(session);
    if (!roleHas(role, right)) throw fail("roleMissing", { right });
    return { callId: String(++calls), name: personOf(role), role };
  },
  "staff.finish": () => null,
  "staff.login": () => login,
  "staff.enrolBegin": () => ({ totpUri: "otpauth://totp/Ovation:ada?secret=AAAA" }),
  "staff.enrolFinish": () => login,
  "staff.logout": () => null,
  "staff.changePassword": () => null,
  "staff.sessionsOf": () => ({
    list: [{ sessionId: "7", address: "127.0.0.1", createTime: expiresTime, expiresTime, current: true }],
  }),
  "staff.endSession": () => null,
  "staff.persons": () => ({
    list: [
      {
        ...{ name: "ada", role: "admin" as const, state: "active" as const },
        ...{ createTime: expiresTime, lastLoginTime: null, sessions: 1 },
      },
    ],
  }),
  "staff.addPerson": () => ({ setupCode: "setup", expiresTime }),
  "staff.setRole": () => null,
  "staff.disablePerson": () => null,
  "staff.enablePerson": () => null,
  "staff.resetPerson": () => ({ setupCode: "setup", expiresTime }),
  "staff.endSessions": () => ({ ended: 1 }),
  "staff.moveMoney": ({ move }: ParamsOf<"staff.moveMoney">): ResultOf<"staff.moveMoney"> =>
    "anchorId" in move || "holdId" in move || move.kind === "erase"
      ? { state: "proposed", proposalId: "s7", expiresTime }
      : { state: "done", result: moved },
  "staff.proposals": (): ResultOf<"staff.proposals"> => ({
    list: [
      {
        ...{ proposalId: "s7", kind: "adjust", userId: "77", subject: "a-1", coins: -20_000, points: null },
        ...{
          anchorIds: null,
          giveUp: null,
          reason: "a complaint",
          proposedBy: "ada",
          createTime: expiresTime,
          expiresTime,
        },
        ...{ state: "open", refusal: null, decidedBy: null, decidedTime: null, decisionReason: null, mayDecide: true },
      },
    ],
    nextCursor: "7-",
  }),
  "staff.erasure": (): ResultOf<"staff.erasure"> => ({
    ...{ state: null, obstacles: ["coins"], problem: null, beganTime: null, erasedTime: null },
  }),
  "staff.decide": ({ proposalId, approve }: ParamsOf<"staff.decide">): ResultOf<"staff.decide"> => ({
    ...{ proposalId, state: approve ? "done" : "declined", refusal: null },
  }),
  "staff.audit": () => ({
    list: [
      {
        ...{ callId: "7", time: expiresTime, person: "ada", role: "admin" as const, address: "127.0.0.1" },
        ...{ route: "/live/admin/gift/all", about: null, params: {}, outcome: null, outcomeTime: null },
      },
    ],
    nextCursor: null,
  }),
};
