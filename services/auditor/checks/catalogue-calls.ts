import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import type { BookKeys } from "../../book-keys.ts";
import { firstGifts, firstProducts } from "../../first-catalogue.ts";
import { type AuditedCall, AuditedTerms, type Field } from "./audited-terms.ts";
import { type SealedCall, sealedCalls } from "./sealed-calls.ts";

/** The operators' calls that set what products and gifts cost, as the sealed audits have them. */

/** Of the services whose calls set terms. */
export type Keys = Readonly<Record<"gift" | "payment", BookKeys>>;

/** What there is in both catalogues: the calls that change it, and the names of its fields in their parameters. */
interface Catalogue {
  readonly service: "gift" | "payment";
  readonly idField: string;
  /** What a call of an action sets besides the fields that it names. */
  readonly actions: Readonly<Record<string, Partial<Record<Field, number>>>>;
  readonly first: Readonly<Record<string, Partial<Record<Field, number>>>>;
}

const onSale = (all: Readonly<Record<string, object>>) =>
  Object.fromEntries(Object.entries(all).map(([id, terms]) => [id, { ...terms, status: 1 }]));

export const products: Catalogue = {
  service: "payment",
  idField: "productId",
  actions: { createProduct: { status: 1 }, updateProduct: {} },
  first: onSale(firstProducts),
};

export const gifts: Catalogue = {
  service: "gift",
  idField: "giftId",
  actions: { create: { status: 1 }, update: {}, takeOffShelf: { status: 0 } },
  first: onSale(firstGifts),
};

const fields: readonly Field[] = ["price", "coins", "status"];

/** A call as the audit has it; `undefined` where its parameters are none. */
function callOf(
  { service, actions, idField }: Catalogue,
  call: SealedCall,
  end: SealedCall | undefined,
): AuditedCall | undefined {
  let params: Record<string, unknown>;
  try {
    params = Object(JSON.parse(call.params ?? "null")) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  // A call is about a product or gift: params that name none were erased or changed.
  if (params[idField] === undefined) return undefined;
  const named = fields.flatMap((field) => (Number.isSafeInteger(params[field]) ? [[field, params[field]]] : []));
  return {
    id: call.id,
    subject: String(params[idField]),
    sets: { ...actions[String(call.action).slice(service.length + 1)], ...Object.fromEntries(named) },
    began: call.time,
    ended: end ? { id: end.id, time: end.time, outcome: String(end.outcome) } : null,
  };
}

interface Audited {
  readonly terms: AuditedTerms;
  /** Calls whose params say nothing: whoever may erase params has hidden what they set. */
  readonly unread: readonly string[];
}

/** All that operators have set: a few calls a day. A row without a valid seal is no operator's word. */
export async function auditedOf(db: Queryable, catalogue: Catalogue, keys: Keys): Promise<Audited> {
  const { service, actions, first } = catalogue;
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM ${databaseName(service)}.t_operator_audit WHERE action IN (?) ORDER BY id`,
    [Object.keys(actions).map((action) => `${service}.${action}`)],
  );
  const ids = rows.map(({ id }) => String(id));
  const all = await sealedCalls(db, keys[service], `${service}Audit`, ids);
  const ends = new Map(all.map((one) => [one.call_id, one]));
  const begun = all.filter(({ call_id }) => call_id === null);
  const read = begun.map((call) => callOf(catalogue, call, ends.get(String(call.id))));
  const calls = read.filter((one) => one !== undefined);
  return {
    terms: new AuditedTerms(first, calls, limits.books.termsGraceMs),
    unread: begun.filter((_call, at) => read[at] === undefined).map(({ id }) => `call ${id} of ${service}`),
  };
}

export const termsOf = async (db: Queryable, catalogue: Catalogue, keys: Keys) =>
  (await auditedOf(db, catalogue, keys)).terms;
