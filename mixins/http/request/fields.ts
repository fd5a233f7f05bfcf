import type { IncomingMessage } from "node:http";
import { fail } from "../../../broker/failure.ts";
import { mediaType, readText } from "./body.ts";

/** Fields by name, without a prototype: a field named `__proto__` or `constructor` is like any other. */
export type Fields = Record<string, unknown>;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw fail("badRequest", { why: "malformed percent-encoding" });
  }
}

/** The value of a name that occurs twice. */
const repeated: readonly unknown[] = Object.freeze([]);

/** Parses a query string or a form body. A name that occurs twice gets an array, which is no valid value. */
export function parseForm(text: string): Fields {
  const fields: Fields = Object.create(null);
  if (text === "") return fields;
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = decoded(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? "" : decoded(pair.slice(at + 1));
    fields[name] = name in fields ? repeated : value;
  }
  return fields;
}

/** The query of the URL, without the question mark. */
export function queryOf(request: IncomingMessage): string {
  const url = request.url ?? "";
  const at = url.indexOf("?");
  return at < 0 ? "" : url.slice(at + 1);
}

function parseObject(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fail("badRequest", { why: "broken JSON" });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw fail("badRequest", { why: "the body is no JSON object" });
  return value as Fields;
}

function bodyFields(request: IncomingMessage, text: string): { fields: Fields; form: boolean } {
  const type = mediaType(request.headers["content-type"]);
  if (type === "application/json") return { fields: parseObject(text), form: false };
  if (type === "application/x-www-form-urlencoded") return { fields: parseForm(text), form: true };
  throw fail("badRequest", { why: "unsupported content type" });
}

const none: Fields = Object.freeze(Object.create(null));

/**
 * The named fields of a request, from its query and its body (JSON or form); other fields are ignored. `null` counts as
 * missing. Fails: badRequest, where a field occurs twice (in the form, in the query or, with different values, in
 * both), or the body cannot be read; tooLarge.
 */
export async function requestFields(request: IncomingMessage, names: readonly string[], maxBytes: number) {
  const text = await readText(request, maxBytes);
  const query = parseForm(queryOf(request));
  const { fields: body, form } = text === "" ? { fields: none, form: false } : bodyFields(request, text);
  return gather(names, query, body, form);
}

/**
 * The named fields of a request whose body is a JSON object; its query counts for nothing. `null` counts as missing.
 * Fails: badRequest, tooLarge, as `requestFields`.
 */
export async function jsonFields(request: IncomingMessage, names: readonly string[], maxBytes: number) {
  const text = await readText(request, maxBytes);
  if (text === "") return gather(names, none, none, false);
  const { fields, form } = bodyFields(request, text);
  if (form) throw fail("badRequest", { why: "the body must be JSON" });
  return gather(names, none, fields, false);
}

export function gather(names: readonly string[], query: Fields, body: Fields, form: boolean): Fields {
  const fields: Fields = {};
  for (const name of names) {
    const fromQuery = query[name];
    const fromBody = Object.hasOwn(body, name) ? (body[name] ?? undefined) : undefined;
    if (Array.isArray(fromQuery) || (form && Array.isArray(fromBody)))
      throw fail("badRequest", { why: "a field occurs twice", name });
    if (fromQuery !== undefined && fromBody !== undefined && !isSame(fromQuery, fromBody))
      throw fail("badRequest", { why: "two values for one field", name });
    const value = fromBody ?? fromQuery;
    if (value !== undefined) fields[name] = value;
  }
  return fields;
}

/** Whether a query's text and a body's value are equal; objects and arrays never are. */
function isSame(text: unknown, value: unknown): boolean {
  return typeof value !== "object" && String(value) === text;
}
