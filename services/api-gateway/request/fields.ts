import type { IncomingMessage } from "node:http";
import { fail } from "../../../broker/failure.ts";
import { mediaType, readText } from "./body.ts";

/** Fields by name, without a prototype: a field called `__proto__` or `constructor` is a field like any other. */
export type Fields = Record<string, unknown>;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw fail("badRequest", { why: "malformed percent-encoding" });
  }
}

/** Stands for the value of a name that was there twice. */
const repeated: readonly unknown[] = Object.freeze([]);

/** A query string or a form body. A name that is there twice gets no value of its own but an array. */
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

/** The part of the URL after the question mark, without any. */
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
 * The named fields of a request, out of its query and its body (JSON or form) alike; whatever else was sent is left
 * where it is. `null` counts as not given. Fails: badRequest where a field is there twice (in the form, in the query or,
 * with another value, in both), or the body cannot be read; tooLarge.
 */
export async function requestFields(request: IncomingMessage, names: readonly string[], maxBytes: number) {
  const text = await readText(request, maxBytes);
  const query = parseForm(queryOf(request));
  const { fields: body, form } = text === "" ? { fields: none, form: false } : bodyFields(request, text);
  return gather(names, query, body, form);
}

export function gather(names: readonly string[], query: Fields, body: Fields, form: boolean): Fields {
  const fields: Fields = {};
  for (const name of names) {
    const fromQuery = query[name];
    const fromBody = Object.hasOwn(body, name) ? (body[name] ?? undefined) : undefined;
    if (Array.isArray(fromQuery) || (form && Array.isArray(fromBody)))
      throw fail("badRequest", { why: "a field is there twice", name });
    if (fromQuery !== undefined && fromBody !== undefined && !isSame(fromQuery, fromBody))
      throw fail("badRequest", { why: "two values for one field", name });
    const value = fromBody ?? fromQuery;
    if (value !== undefined) fields[name] = value;
  }
  return fields;
}

/** Whether a query's text and a body's value are the same; objects and arrays never are. */
function isSame(text: unknown, value: unknown): boolean {
  return typeof value !== "object" && String(value) === text;
}
