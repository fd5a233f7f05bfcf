import { z } from "zod";
import type { FailureName } from "../config/errors.ts";
import { limits } from "../config/limits.ts";
import { isShownText } from "./shown-text.ts";

/** The kinds of fields that the contracts' parameters are made of. */

/** A safe integer; `missing` names the failure of leaving it out. */
export function integer(
  min: number = Number.MIN_SAFE_INTEGER,
  max: number = Number.MAX_SAFE_INTEGER,
  missing?: FailureName,
) {
  const error = missing && ((issue: { input?: unknown }) => (issue.input === undefined ? missing : undefined));
  return z.int({ error }).min(min).max(max);
}

/** An id that counts from 1. */
export const id = integer(1);

/** An enumeration's number, whose values are the business of the service behind. */
export const kind = integer(0, 1_000_000);

/** Of a number its digits: ids exceed 2^53, so they are text inside; from outside a safe number is taken too. */
export const spelledOut = (value: unknown) =>
  typeof value === "number" && Number.isSafeInteger(value) ? String(value) : value;

/** Text fields whose digits may arrive as a number from outside: see `fromHttp` in the gateway's fields. */
export const spelledAsDigits = z.registry<Record<string, never>>();

/** Columns of user ids are BIGINT UNSIGNED. */
const largestUserId = String(2n ** 64n - 1n);

/** Compares decimal strings without leading zeros. */
export function isUserId(text: string): boolean {
  if (!/^[1-9]\d{0,19}$/.test(text)) return false;
  return text.length < largestUserId.length || text <= largestUserId;
}

/**
 * A user id: a decimal string from 1 to 2^64 − 1. What does not fit a column must not come so far: in a batch it would
 * hold up the others.
 */
export const userId = z
  .string()
  .regex(/^[1-9]\d{0,19}$/)
  // The pattern is checked before.
  .refine((text) => text.length < largestUserId.length || text <= largestUserId)
  .meta({ description: "A user id: a decimal string; a number is accepted while it is a safe integer." })
  .register(spelledAsDigits, {});

/** A user, or "0" for the system. */
export const senderId = z.string().refine((text) => text === "0" || isUserId(text));

/** Text that others will see. */
export const text = (min: number, max: number) => z.string().min(min).max(max).refine(isShownText);

/** Why an operator does something. */
export const reason = text(1, limits.payment.reasonChars);

/** A business id of a gift or a payment. */
export const orderId = z.string().regex(/^[\w-]{1,64}$/);

/** A business id in a call or message between services, whatever it is made of. */
export const businessId = z.string().min(1).max(64);

/** Where a list goes on: an id of the page before; nothing, or "", starts at the newest. */
export const cursor = z
  .string()
  .regex(/^\d{0,19}$/)
  .transform((text) => (text === "" ? undefined : text))
  .optional();

/** Rows of a page. */
export const limit = integer(1, limits.http.pageSizeMax).default(limits.http.pageSizeDefault);

/** Who an operator says to be; it comes with the call and not from outside. */
export const operator = z.string().min(1).max(100);

/** Whole coins above 0. */
export const coinAmount = integer(1);

/** A time in an event or message: ISO 8601, UTC. Nobody decides by it, so only its kind is checked. */
export const eventTime = z.string();
/** A moment: ISO 8601 in UTC. */
export const isoTime = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT[\d:.]{8,12}Z$/)
  .refine((text) => !Number.isNaN(Date.parse(text)));

/** An amount of coins or points that is not negative. */
export const amount = integer(0);

/** A bucket of users or rooms, by which calls reach the same node. */
export const bucket = integer(0);
