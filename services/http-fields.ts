import { z } from "zod";
import { integerOf } from "../broker/unknown-values.ts";
import type { ActionContract } from "./action-contract.ts";
import { spelledAsDigits, spelledOut } from "./fields.ts";

/**
 * JSON has numbers, queries and forms have text: text that consists of digits is accepted as a number, and nothing else
 * is ("1e3", " 1", true and [1] are not numbers).
 */
const spelledNumber = (value: unknown) => integerOf(value) ?? value;

function lenient(field: z.ZodType): z.ZodType {
  if (field instanceof z.ZodDefault) return lenient(field.unwrap() as z.ZodType).default(field.def.defaultValue);
  if (field instanceof z.ZodOptional) return lenient(field.unwrap() as z.ZodType).optional();
  if (field instanceof z.ZodNumber) return z.preprocess(spelledNumber, field);
  return spelledAsDigits.has(field as never) ? z.preprocess(spelledOut, field) : field;
}

/**
 * The fields of an action for HTTP, without those that clients do not send: the caller's id, the operator. The contract
 * defines them; here they are only read more leniently.
 */
export function fromHttp<Shape extends z.ZodRawShape, Inside extends keyof Shape = never>(
  contract: ActionContract<z.ZodObject<Shape>, unknown>,
  ...inside: Inside[]
): Omit<Shape, Inside> {
  const names = new Set<PropertyKey>(inside);
  const fields = Object.entries(contract.params.shape).filter(([name]) => !names.has(name));
  const read = fields.map(([name, field]) => [name, lenient(field as z.ZodType)]);
  return Object.fromEntries(read) as unknown as Omit<Shape, Inside>;
}

/** A user id in an answer. */
export const shownUserId = z.string().meta({ description: "A user id, a decimal string." });

export const nothing = z.null();

/** A list that continues at `nextCursor`; `null` at its end. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ list: z.array(item), nextCursor: z.string().nullable() });
