import { limits } from "../../config/limits.ts";

/** What of a call's params goes into the audit. */

/** Params whose values are secrets, or a phone number: the audit has their names alone. */
const leftOut: ReadonlySet<string> = new Set([
  ...["password", "newPassword", "totp", "code", "session", "token", "key", "secret", "phone"],
]);
const mark = "(left out)";

/** Params that are text of a person, who may write a phone number into it. */
const freeText: ReadonlySet<string> = new Set(["q", "reason", "remark", "body"]);

/** A mobile number, also with its country code; its last four digits stay. */
const phoneNumber = /(?<!\d)(?:\+?86)?1[3-9]\d{5}(\d{4})(?!\d)/g;

function audited(name: string, value: unknown, depth: number): unknown {
  if (leftOut.has(name)) return mark;
  if (typeof value === "string") return freeText.has(name) ? value.replace(phoneNumber, "*$1") : value;
  if (typeof value !== "object" || value === null) return value;
  if (depth >= limits.admin.paramsDepth) return mark;
  if (Array.isArray(value)) return value.map((one) => audited(name, one, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, audited(key, one, depth + 1)]));
}

/** A copy of checked params without passwords, codes, secrets and phone numbers. */
export function auditedParams(params: Record<string, unknown>): Record<string, unknown> {
  return audited("", params, 0) as Record<string, unknown>;
}

/** The params that say what a call concerns: the first that is there. */
const subjects = [
  // Before the ids that a caller makes: the page of a user lists what staff did about that user.
  ...["orderId", "proposalId", "userId", "restrictionId", "holdId", "payoutId", "adjustId", "anchorId", "roomId"],
  ...["webhookId", "keyId", "giftId", "productId", "bizCode", "sessionId", "name", "id"],
] as const;

/** The id of what a call concerns, at most `limits.staff.aboutChars` long; `undefined` where its params name none. */
export function aboutOf(params: Record<string, unknown>): string | undefined {
  for (const name of subjects) {
    const value = params[name];
    if ((typeof value === "string" && value !== "") || typeof value === "number")
      return String(value).slice(0, limits.staff.aboutChars);
  }
  return undefined;
}
