import { limits } from "../../config/limits.ts";

/** What of a call's params goes into the audit. */

/** Params whose values are secrets, or a phone number: the audit has their names alone. */
const leftOut: ReadonlySet<string> = new Set([
  ...["password", "newPassword", "totp", "code", "session", "token", "key", "secret", "phone"],
]);
const mark = "(left out)";

/** Params that are text of a person, who may write a phone number into it. */
const freeText: ReadonlySet<string> = new Set(["q", "reason", "remark", "body", "about", "person"]);

/** A mobile number, also with its country code, blanks and hyphens; its last four digits stay. */
const phoneNumber = /(?<!\d)(?:(?:\+|00)?86[\s-]*)?1[\s-]*[3-9](?:[\s-]*\d){5}[\s-]*(\d(?:[\s-]*\d){3})(?!\d)/g;
/** An end of a phone that somebody searched for. */
const phoneEnd = /^\D*\d{1,4}(\d{4})\D*$/;

/** A text of a person, whose phone numbers keep their last four digits. */
export const withoutPhones = (text: string) => text.replace(phoneNumber, "*$1");

/** A URL's host alone: its path or query may have a token, and its beginning a password. */
function hostOfUrl(text: string): string {
  const url = URL.parse(text);
  return url?.host ? `${url.protocol}//${url.host}/…` : mark;
}

/** The texts of a param as the audit has them. */
function auditedText(name: string, text: string): string {
  if (name === "url") return hostOfUrl(text);
  if (!freeText.has(name)) return text;
  return withoutPhones(name === "q" ? text.replace(phoneEnd, "*$1") : text);
}

function audited(name: string, value: unknown, depth: number): unknown {
  if (leftOut.has(name)) return mark;
  // What is refused is not checked: a number may stand where text should.
  if (typeof value === "string" || (typeof value === "number" && freeText.has(name)))
    return auditedText(name, String(value));
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
