/**
 * Readers of unknown values: received from outside, or thrown. `Number()`, `String()` and templates may throw on them:
 * they call the value's own methods (`{"valueOf":1,"toString":1}` has none that can be called) and recurse into it
 * (20,000 nested arrays exhaust the stack). The functions here never throw.
 */

export type Fields = Readonly<Record<string, unknown>>;

/** The value where it is an object with fields; `undefined` where it is an array, null or no object. */
export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

const digits = /^-?\d{1,16}$/;

/** A safe integer, also where it is spelled in digits, and from nothing else ("1e3", " 1", true and [1] are none). */
export function integerOf(value: unknown): number | undefined {
  const number = typeof value === "string" && digits.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) ? (number as number) : undefined;
}

/** Whether nothing in it lies deeper than so many levels: what is deeper exhausts the stack of who writes it out. */
export function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}

/** The value as a text for logs, of `max` characters at the most; of what has parts, only its kind. */
export function shown(value: unknown, max = 64): string {
  if (typeof value === "string") return value.slice(0, max);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return typeof value === "function" ? "a function" : String(value);
}

/** The message of an error; of anything else that was thrown, its value or kind. */
export function messageOf(error: unknown): string {
  const message = (error as { message?: unknown } | null | undefined)?.message;
  return typeof message === "string" && message !== "" ? message : shown(error, 200);
}
