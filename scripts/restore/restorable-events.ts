import { z } from "zod";
import { limits } from "../../config/limits.ts";
import type { DurableEventName, DurableEvents } from "../../services/contracts.ts";
import { externalId, isoTime, orderId } from "../../services/fields.ts";
import { safeParse } from "../../services/safe-parse.ts";
import { pointsPerCoin } from "../../services/wallet/points.ts";
import { isGiftAmount } from "../../services/wallet/posting.ts";

/**
 * Whether the rows that a restore makes of an event can be written. Pure. The schema of an event is for readers, and
 * wider than the columns. No service publishes what these refuse, so such an event comes of a fault, or is forged; it must
 * neither stop a restore nor raise a counter of ids to where no id is left.
 */

/** Of a table that counts them: far from 2^53, above which ids are no safe numbers. */
const countedId = z
  .union([z.string(), z.number()])
  .refine((id) => /^[1-9]\d{0,19}$/.test(String(id)) && BigInt(id) <= BigInt(limits.backup.idMost), {
    error: `is no id up to ${limits.backup.idMost}`,
  });
const wholeText = (max: number) => z.string().max(max);
/** INT UNSIGNED. */
const columnCount = z.number().max(2 ** 32 - 1);
/** TINYINT. */
const columnKind = z.number().max(127);
/** The business id of a credit in the ledger; `debt:` stands before it where it pays a debt off. */
const creditId = z.string().regex(/^[\x21-\x7e]{1,90}$/);

const gift = z
  .object({
    orderId,
    recordId: countedId.optional(),
    count: columnCount,
    time: isoTime,
    price: z.number(),
    incomePoints: z.number(),
    status: z.string(),
    senderId: z.string(),
    receiverId: z.string(),
  })
  .refine(({ price, count }) => isGiftAmount(price * count), "price times count is no amount")
  .refine(
    ({ price, count, incomePoints }) => incomePoints <= price * count * pointsPerCoin,
    "the share is above the price",
  )
  .refine(({ status, incomePoints }) => status === "succeeded" || incomePoints === 0, "it failed with a share")
  .refine(
    ({ status, senderId, receiverId }) => status !== "succeeded" || senderId !== receiverId,
    "it succeeded, to oneself",
  );

const externalRoomId = externalId.optional();
const restriction = { restrictionId: countedId, reason: wholeText(200), by: wholeText(100), time: isoTime };

/** What is asked beyond the event's own schema; an event without one becomes no row. */
const restorable: { readonly [N in DurableEventName]?: z.ZodType } = {
  "gift.settled": z.object({ gifts: z.array(gift) }),
  "wallet.credited": z.object({ orderId: creditId }),
  "user.registered": z.object({ time: isoTime }),
  "user.restricted": z.object({ ...restriction, until: isoTime.nullable() }),
  "user.unrestricted": z.object(restriction),
  "room.opened": z.object({
    ...{ roomId: countedId, type: columnKind, roomName: wholeText(60), externalRoomId, time: isoTime },
  }),
  "room.closed": z.object({
    ...{ roomId: countedId, externalRoomId, closedBy: wholeText(100).optional() },
    ...{ reason: wholeText(200).optional(), time: isoTime },
  }),
  "battle.started": z.object({ battleId: countedId }),
};

/** The times that become columns, with their names. */
function timesOf(data: Record<string, unknown>): [string, unknown][] {
  const gifts = Array.isArray(data.gifts) ? (data.gifts as { time: unknown }[]) : [];
  const ofGifts = gifts.map(({ time }, at): [string, unknown] => [`gifts.${at}.time`, time]);
  return "time" in data ? [["time", data.time], ...ofGifts] : ofGifts;
}

/** Before the first gift of the system, or later than the clocks of its machines can be ahead. */
function isImpossible(time: unknown, storedAt: Date): boolean {
  const ms = Date.parse(String(time));
  return !(ms >= limits.backup.firstTimeMs && ms <= storedAt.getTime() + limits.backup.clockAheadMs);
}

/** Why the event is refused; `undefined` where it is not. `data` fits the event's own schema. */
export function refusalOf<N extends DurableEventName>(
  name: N,
  data: DurableEvents[N],
  about: { readonly time: Date; readonly storedAt: Date },
): string | undefined {
  const schema = restorable[name];
  const parsed = schema && safeParse(schema, data);
  if (parsed && !parsed.success) {
    const [issue] = parsed.error.issues;
    return `${issue?.path.join(".")}: ${issue?.message}`;
  }
  if (isImpossible(about.time.toISOString(), about.storedAt)) return "its time is impossible";
  const impossible = schema && timesOf(data).find(([, time]) => isImpossible(time, about.storedAt));
  return impossible && `${impossible[0]} is impossible: ${String(impossible[1]).slice(0, 40)}`;
}
