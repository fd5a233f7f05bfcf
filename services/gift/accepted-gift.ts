import { hash as hashOf } from "node:crypto";
import { z } from "zod";
import { fieldsOf, shown } from "../../broker/unknown-values.ts";
import { limits } from "../../config/limits.ts";
import { id, integer, isoTime, userId } from "../fields.ts";
import { safeParse } from "../safe-parse.ts";

export { partitionOf } from "../gift-partitions.ts";

const acceptedGift = z.object({
  orderId: z.string().min(1).max(64),
  senderId: userId,
  receiverId: userId,
  roomId: id,
  giftId: id,
  count: integer(1, limits.gift.countMax),
  /** Price of one, coins. */
  price: integer(1, limits.gift.priceMaxCoins),
  /** The receiver's share, whole percent. */
  sharePercent: integer(0, 100),
  /** 0 normal, 1 PK. */
  type: integer(0, 1),
  /** The effect's file. */
  url: z.string().max(limits.gift.urlChars),
  contentHash: z.string().regex(/^[0-9a-f]{32}$/),
  /** By the clock of the node that accepted it: for logs, and until the gift is settled. No record has it. */
  acceptedAt: isoTime,
  /** JetStream's time of its first message, where that became a dead letter. Signed with the gift. */
  storedAt: isoTime.optional(),
});
/** A gift as it waits in JetStream, with everything that its settlement needs, fixed at acceptance. */
export type AcceptedGift = z.infer<typeof acceptedGift>;

/** The time of a gift, ms since 1970: of its message in the queue, or of its first one where that became a dead letter. */
export function giftTimeMs({ storedAt }: AcceptedGift, messageStoredAtMs: number): number {
  return storedAt === undefined ? messageStoredAtMs : Date.parse(storedAt);
}

/**
 * A hash of what the client asked for, without what the system adds (the price). Equal for a repeat, and only for it.
 */
export function contentHashOf(request: {
  giftId: number;
  roomId: number;
  receiverId: string;
  type: number;
  count: number;
}): string {
  const { giftId, roomId, receiverId, type, count } = request;
  return hashOf("sha256", `${giftId}|${roomId}|${receiverId}|${type}|${count}`, "hex").slice(0, 32);
}

/** Checks a gift of the queue. @throws Error naming the invalid field: such a gift can never be settled. */
export function parseAcceptedGift(data: unknown): AcceptedGift {
  const checked = safeParse(acceptedGift, data);
  if (checked.success) return checked.data;
  const { orderId } = fieldsOf(data) ?? {};
  throw new Error(`${String(checked.error.issues[0]?.path[0])} of order ${shown(orderId)} is invalid`);
}
