import { limits } from "../../config/limits.ts";

/** What the audit keeps of a call's params. */

const secrets: ReadonlySet<string> = new Set([
  ...["password", "newPassword", "totp", "code", "setupCode", "session", "csrf", "token", "secret", "key", "apiKey"],
]);

/** Fields in which somebody may type a phone number. */
const typed: ReadonlySet<string> = new Set(["phone", "q"]);
const phone = /^\s*(?:\+?86[\s-]?)?(1[3-9](?:[\s-]?\d){9})\s*$/;

/** A phone number is kept as its last 4 digits, like `…5678`. */
function withoutPhone(text: string): string {
  const digits = phone.exec(text)?.[1]?.replaceAll(/\D/g, "");
  return digits === undefined ? text : `…${digits.slice(-4)}`;
}

function keptOf(value: unknown, key: string): unknown {
  if (secrets.has(key)) return "…";
  if (typed.has(key) && (typeof value === "string" || typeof value === "number")) return withoutPhone(String(value));
  if (Array.isArray(value)) return value.map((one) => keptOf(one, key));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, keptOf(one, name)]));
  return value;
}

/**
 * The params as JSON, without passwords, codes, secrets and phone numbers. Where they are too long, `{"cut": …}` has
 * their beginning. The text has at most `limits.staff.auditParamsBytes`.
 */
export function auditedParams(params: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(keptOf(params, ""));
  const most = limits.staff.auditParamsBytes;
  if (Buffer.byteLength(text) <= most) return text;
  // A character is at most 3 bytes, and JSON in JSON at most 6 times as long.
  for (let chars: number = most; ; chars = Math.floor(chars / 2)) {
    const cut = JSON.stringify({ cut: `${text.slice(0, chars)}…`.toWellFormed() });
    if (Buffer.byteLength(cut) <= most) return cut;
  }
}
