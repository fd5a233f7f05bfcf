/**
 * Readers of unknown values: received from outside, or thrown. `Number()`, `String()` and templates may throw on them:
 * they call the value's own methods (`{"valueOf":1,"toString":1}` has none that can be called) and recurse into it
 * (20,000 nested arrays exhaust the stack). The functions here never throw.
 */

export type Fields = Readonly<Record<string, unknown>>;

/** The value where it is an object with fields; `undefined` where it is an array, null or not an object. */
export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

const digits = /^-?\d{1,16}$/;

/** A safe integer, or one written in digits; `undefined` for anything else ("1e3", " 1", true, [1]). */
export function integerOf(value: unknown): number | undefined {
  const number = typeof value === "string" && digits.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) ? (number as number) : undefined;
}

/** Whether the value is nested at most this many levels deep. Serializing a deeper value exhausts the stack. */
export function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}

/** The value as text for logs, at most `max` characters; for arrays and objects only the kind. */
export function shown(value: unknown, max = 64): string {
  if (typeof value === "string") return value.slice(0, max);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return typeof value === "function" ? "a function" : String(value);
}

/** The message of an error; for any other thrown value its text or kind. */
export function messageOf(error: unknown): string {
  const message = (error as { message?: unknown } | null | undefined)?.message;
  return typeof message === "string" && message !== "" ? message : shown(error, 200);
}
