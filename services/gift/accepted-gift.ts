import { hash as hashOf } from "node:crypto";
import { shown } from "../../broker/unknown-values.ts";
import { limits } from "../../config/limits.ts";
import { isUserId } from "../fields.ts";

/** A gift as it waits in JetStream: everything its settlement needs, fixed when it was accepted. */
export interface AcceptedGift {
  orderId: string;
  senderId: string;
  receiverId: string;
  roomId: number;
  giftId: number;
  count: number;
  /** Of one, coins. */
  price: number;
  /** The receiver's share of it, whole percent. */
  sharePercent: number;
  /** 0 normal, 1 PK. */
  type: number;
  /** The effect's file. */
  url: string;
  contentHash: string;
  /** ISO time. */
  acceptedAt: string;
}

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

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

/**
 * Checks what came out of the queue. A message without `sharePercent` gets the default share.
 * @throws Error naming the field that is off: such a message can never be settled.
 */
export function parseAcceptedGift(data: unknown, defaultSharePercent: number): AcceptedGift {
  const gift = { sharePercent: defaultSharePercent, ...(data as Partial<AcceptedGift>) } as AcceptedGift;
  const bad = (field: keyof AcceptedGift) => new Error(`${field} of order ${shown(gift.orderId)} is off`);
  if (typeof gift.orderId !== "string" || gift.orderId === "" || gift.orderId.length > 64) throw bad("orderId");
  for (const field of ["senderId", "receiverId"] as const)
    if (typeof gift[field] !== "string" || !isUserId(gift[field])) throw bad(field);
  for (const field of ["roomId", "giftId", "count", "price"] as const) if (!isCount(gift[field])) throw bad(field);
  if (!Number.isInteger(gift.sharePercent) || gift.sharePercent < 0 || gift.sharePercent > 100)
    throw bad("sharePercent");
  if (gift.type !== 0 && gift.type !== 1) throw bad("type");
  if (typeof gift.url !== "string" || gift.url.length > limits.gift.urlChars) throw bad("url");
  if (typeof gift.contentHash !== "string" || !/^[0-9a-f]{32}$/.test(gift.contentHash)) throw bad("contentHash");
  if (typeof gift.acceptedAt !== "string" || Number.isNaN(Date.parse(gift.acceptedAt))) throw bad("acceptedAt");
  return gift;
}
