import { hash } from "node:crypto";
import { parse, v5 } from "uuid";

/** What makes a write of the server API the same as another one. */

/** Namespace of the ids below, a constant of this system (RFC 9562, section 6.6). */
const writeNamespace = parse("c0a4f7d2-61b8-4e95-9d3f-7a2e18c5b604");

/** The UUID of an idempotency key, the same for ever: a business id of what the write does. */
export function writeIdOf(idempotencyKey: string): string {
  return v5(idempotencyKey, writeNamespace);
}

/** A JSON value as the text that equal values share: the fields of objects in order, those without a value left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((inner) => canonicalJson(inner ?? null)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, inner]) => `${JSON.stringify(name)}:${canonicalJson(inner)}`);
  return `{${fields.join(",")}}`;
}

/** Of the path and the checked params: half of a SHA-256, hex. */
export function fingerprintOf(path: string, params: Readonly<Record<string, unknown>>): string {
  return hash("sha256", `${path}\n${canonicalJson(params)}`, "hex").slice(0, 32);
}
