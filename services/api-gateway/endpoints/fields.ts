import { z } from "zod";
import { integerOf } from "../../../broker/unknown-values.ts";
import type { FailureName } from "../../../config/errors.ts";
import { limits } from "../../../config/limits.ts";
import { isShownText } from "../../shown-text.ts";
import { userIdPattern } from "../../user-id-pattern.ts";

/**
 * The kinds of fields there are. JSON brings numbers, queries and forms bring text: digits are taken for the number they
 * spell, and nothing else is ("1e3", " 1", true and [1] are no numbers).
 */
const spelledNumber = (value: unknown) => integerOf(value) ?? value;
const spelledOut = (value: unknown) =>
  typeof value === "number" && Number.isSafeInteger(value) ? String(value) : value;

/** A safe integer; `missing` names the failure of leaving it out. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER, missing?: FailureName) {
  const error = missing && ((issue: { input?: unknown }) => (issue.input === undefined ? missing : undefined));
  return z.preprocess(spelledNumber, z.int({ error }).min(min).max(max));
}

/** An id that counts from 1. */
export const id = integer(1);

/** An enumeration's number, whose values are the business of the service behind. */
export const kind = integer(0, 1_000_000);

/** User ids exceed 2^53: decimal strings inside, numbers accepted while they are safe. */
export const userId = z
  .preprocess(spelledOut, z.string().regex(userIdPattern))
  .meta({ description: "A user id: a decimal string; a number is accepted while it is a safe integer." });

/** Text for people, on one line. */
export const text = (min: number, max: number) => z.string().min(min).max(max).refine(isShownText);

export const orderId = z.string().regex(/^[\w-]{1,64}$/);

/** What the user typed at the login: handed on as it is, since the user service says what is wrong with it. */
export const typed = z.preprocess(spelledOut, z.string().max(64)).default("");

/** Where a list goes on: an id of the page before; nothing, or "", starts at the newest. */
export const cursor = z
  .preprocess(
    (value) => (value === "" ? undefined : spelledOut(value)),
    z
      .string()
      .regex(/^\d{1,19}$/)
      .optional(),
  )
  .optional();

export const limit = integer(1, limits.http.pageSizeMax).default(limits.http.pageSizeDefault);

/** A user id as it is answered. */
export const shownUserId = z.string().meta({ description: "A user id, a decimal string." });

export const nothing = z.null();

/** A list that goes on at `nextCursor`, `null` at its end. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ list: z.array(item), nextCursor: z.string().nullable() });
