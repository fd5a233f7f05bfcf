import { hash as hashOf } from "node:crypto";
import { z } from "zod";
import { fieldsOf, shown } from "../../broker/unknown-values.ts";
import { limits } from "../../config/limits.ts";
import { id, integer, isoTime, userId } from "../fields.ts";
import { safeParse } from "../safe-parse.ts";

const acceptedGift = z.object({
  orderId: z.string().min(1).max(64),
  senderId: userId,
  receiverId: userId,
  roomId: id,
  giftId: id,
  count: integer(1, limits.gift.countMax),
  /** Of one, coins. */
  price: integer(1, limits.gift.priceMaxCoins),
  /** The receiver's share of it, whole percent. */
  sharePercent: integer(0, 100),
  /** 0 normal, 1 PK. */
  type: integer(0, 1),
  /** The effect's file. */
  url: z.string().max(limits.gift.urlChars),
  contentHash: z.string().regex(/^[0-9a-f]{32}$/),
  acceptedAt: isoTime,
});
/** A gift as it waits in JetStream: everything its settlement needs, fixed when it was accepted. */
export type AcceptedGift = z.infer<typeof acceptedGift>;

/** What the client asked for, without what the system added (the price): the same for a repeat, and only for it. */
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

/** The queue's partition of a sender: messages of one sender share a subject. */
export function partitionOf(userId: string): number {
  return Number(BigInt(userId) % BigInt(limits.gift.partitions));
}

/**
 * Checks what came out of the queue. A message without `sharePercent` gets the default share.
 * @throws Error naming the field that is off: such a message can never be settled.
 */
export function parseAcceptedGift(data: unknown, defaultSharePercent: number): AcceptedGift {
  const given = fieldsOf(data) ?? {};
  const gift = given.sharePercent === undefined ? { ...given, sharePercent: defaultSharePercent } : given;
  const checked = safeParse(acceptedGift, gift);
  if (checked.success) return checked.data;
  throw new Error(`${String(checked.error.issues[0]?.path[0])} of order ${shown(given.orderId)} is off`);
}
