import { z } from "zod";
import { traceparentForm } from "../broker/tracing/trace-context.ts";
import type { FailureName } from "../config/errors.ts";
import { limits } from "../config/limits.ts";
import { isShownText } from "./shown-text.ts";

/** Kinds of fields for the parameters of contracts. */

/** A trace that is carried on: see broker/tracing/. */
export const traceparent = z.string().regex(traceparentForm);

/** A safe integer; `missing` is the failure where it is left out. */
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

/** A number of an enumeration; the service checks its values. */
export const kind = integer(0, 1_000_000);

/** The digits of a number: ids exceed 2^53, so they are text inside. Clients may also send a safe number. */
export const spelledOut = (value: unknown) =>
  typeof value === "number" && Number.isSafeInteger(value) ? String(value) : value;

/** Text fields whose digits clients may send as a number: see `fromHttp` in the gateway's fields. */
export const spelledAsDigits = z.registry<Record<string, never>>();

/** Columns of user ids are BIGINT UNSIGNED. */
const largestUserId = String(2n ** 64n - 1n);

const userIdPattern = /^[1-9]\d{0,19}$/;
/** Compares decimal strings without leading zeros. */
const fitsColumn = (text: string) => text.length < largestUserId.length || text <= largestUserId;

export const isUserId = (text: string): boolean => userIdPattern.test(text) && fitsColumn(text);

/**
 * A user id: a decimal string from 1 to 2^64 − 1. A larger one does not fit its column, and would make its whole batch
 * fail.
 */
export const userId = z
  .string()
  .regex(userIdPattern)
  .refine(fitsColumn)
  .meta({ description: "A user id: a decimal string; a number is accepted while it is a safe integer." })
  .register(spelledAsDigits, {});

/**
 * A user's or a room's id at the platform: any text of 1 to `limits.user.externalIdChars` characters (code points), kept as it is.
 * Case, spaces and forms of one letter make different ids. NUL and half of a surrogate pair are refused: not every client
 * and database gives them back as they were.
 */
export const isExternalId = (text: string): boolean =>
  text !== "" &&
  text.length <= 2 * limits.user.externalIdChars &&
  [...text].length <= limits.user.externalIdChars &&
  text.isWellFormed() &&
  !text.includes("\0");

/** See `isExternalId`. A number is not a text: 1 and 1.0 would be the same id. */
export const externalId = z.string().refine(isExternalId).meta({
  description: "The platform's own id, kept as it is: case and spaces count.",
  minLength: 1,
  maxLength: limits.user.externalIdChars,
});

/** A user, or "0" for the system. */
export const senderId = z.string().refine((text) => text === "0" || isUserId(text));

/** Text that others see. */
export const text = (min: number, max: number) => z.string().min(min).max(max).refine(isShownText);

/** An operator's reason. */
export const reason = text(1, limits.payment.reasonChars);

/** A business id of a gift or a payment. */
export const orderId = z.string().regex(/^[\w-]{1,64}$/);

/**
 * A move of staff, for the services that carry it out: the random id in its sealed row, which no other move ever has. The
 * numbers of rows come again after a restore of the staff database.
 */
export const moveId = z.uuid();

/**
 * An id that the platform gives to an order of its own: 1 to 64 visible ASCII characters, no blank. The unique keys of
 * the books compare it exactly; of blanks they would ignore those at the end.
 */
export const externalReference = z.string().regex(/^[\x21-\x7e]{1,64}$/);

/** The id of a chat message in a room; those that im-servers make are UUIDs. */
export const chatMsgId = z.string().regex(/^[\w-]{1,64}$/);

/** A business id in a call or message between services, in any format. */
export const businessId = z.string().min(1).max(64);

/** The position in a list: an id of the page before; missing or "" starts at the newest. */
export const cursor = z
  .string()
  .regex(/^\d{0,19}$/)
  .transform((text) => (text === "" ? undefined : text))
  .optional();

/** The number of rows of a page. */
export const limit = integer(1, limits.http.pageSizeMax).default(limits.http.pageSizeDefault);

/** The operator's name, as given; it comes from the gateway, not from a field. */
export const operator = z.string().min(1).max(100);

/** Whole coins above 0. */
export const coinAmount = integer(1);

/** A time in an event or message: ISO 8601, UTC. No decision depends on it, so only its type is checked. */
export const eventTime = z.string();
/** A time: ISO 8601 in UTC. */
export const isoTime = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT[\d:.]{8,12}Z$/)
  .refine((text) => !Number.isNaN(Date.parse(text)));

/** An amount of coins or points that is not negative. */
export const amount = integer(0);

/** A bucket of users or rooms, by which calls reach the same node. */
export const bucket = integer(0);
