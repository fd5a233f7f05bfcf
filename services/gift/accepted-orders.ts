import type { Redis } from "ioredis";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import { type AcceptedGift, contentHashOf, parseAcceptedGift } from "./accepted-gift.ts";
import type { FoundGift } from "./gift.contract.ts";
import { findRecord } from "./gift-store.ts";

/**
 * Which orders are accepted and not settled yet, in Redis: answers repeats and queries while an order is on its way. All
 * of it may be lost: then the queue and the books answer.
 */
const keyOf = (orderId: string) => `gift:accepted:${orderId}`;

interface MemoryLog {
  warn(about: object, text: string): void;
  error(about: object, text: string): void;
}

export async function rememberAccepted(redis: Redis, gift: AcceptedGift, log: MemoryLog): Promise<void> {
  try {
    await redis.set(keyOf(gift.orderId), JSON.stringify(gift), "PX", limits.gift.acceptedMemoryMs);
  } catch (error) {
    log.warn(
      { err: error, orderId: gift.orderId },
      "an accepted order is not remembered: its status shows once settled",
    );
  }
}

/** `undefined` where Redis does not know it, or cannot be asked. */
export async function recallAccepted(redis: Redis, orderId: string, log: MemoryLog): Promise<AcceptedGift | undefined> {
  try {
    const text = await redis.get(keyOf(orderId));
    return text === null ? undefined : (JSON.parse(text) as AcceptedGift);
  } catch (error) {
    log.warn({ err: error, orderId }, "accepted orders cannot be read: the books are asked");
    return undefined;
  }
}

/**
 * A gift by its order, from the books or, while it is on its way, from memory; `undefined` where neither knows it. The
 * settler writes the books before it forgets: an order that neither knew was perhaps settled between the two looks, and
 * then the books know it at the second.
 */
export async function findGift(
  { mysql, redis, logger }: { mysql: Queryable; redis: Redis; logger: unknown },
  orderId: string,
): Promise<FoundGift | undefined> {
  const settled = await findRecord(mysql, orderId);
  if (settled) return settled;
  const waiting = await recallAccepted(redis, orderId, logger as MemoryLog);
  return waiting ? onItsWay(waiting) : findRecord(mysql, orderId);
}

function onItsWay(gift: AcceptedGift): FoundGift {
  const { orderId, senderId, receiverId, roomId, giftId, count, price, acceptedAt: time } = gift;
  return { orderId, senderId, status: "accepted", giftId, count, price, receiverId, roomId, time };
}

/**
 * All that is remembered, some at a time; what was settled a moment ago may be among it. What acceptance cannot have
 * written as it stands is left out; only who may write to Redis, and takes care, can have one more charged
 * (docs/decisions/0038). Rejects where Redis is away.
 */
export async function* allAccepted(redis: Redis, log: MemoryLog): AsyncGenerator<AcceptedGift[]> {
  const prefix = redis.options.keyPrefix ?? "";
  for (let cursor: string | undefined; cursor !== "0"; ) {
    const [next, keys] = await redis.scan(cursor ?? "0", "MATCH", `${prefix}${keyOf("*")}`, "COUNT", 1_000);
    cursor = next;
    if (keys.length === 0) continue;
    // The client puts the prefix before what it is given, and does not take it from what it gets.
    const texts = await redis.mget(keys.map((key) => key.slice(prefix.length)));
    yield texts.flatMap((text, at) => readGift(text, (keys[at] as string).slice(prefix.length), log));
  }
}

function readGift(text: string | null, key: string, log: MemoryLog): AcceptedGift[] {
  if (text === null) return [];
  try {
    const gift = parseAcceptedGift(JSON.parse(text), config().ANCHOR_SHARE_PERCENT);
    requirePlausible(gift, key, Date.now());
    return [gift];
  } catch (error) {
    log.error({ err: error, key }, "what is remembered of an accepted order is off: it is not put back, look at it");
    return [];
  }
}

/** @throws Error saying why acceptance cannot have written this, or not within the time that it is remembered. */
function requirePlausible(gift: AcceptedGift, key: string, nowMs: number): void {
  const { acceptedMemoryMs, acceptedClockMarginMs: margin } = limits.gift;
  const { orderId, senderId, receiverId, contentHash, acceptedAt } = gift;
  if (key !== keyOf(orderId)) throw new Error(`it stands under the key of another order than ${orderId}`);
  if (contentHashOf(gift) !== contentHash) throw new Error("its content hash is not that of its content");
  if (senderId === receiverId) throw new Error("its sender is its receiver");
  const ageMs = nowMs - Date.parse(acceptedAt);
  if (ageMs < -margin) throw new Error(`it was accepted in the future: ${acceptedAt}`);
  if (ageMs > acceptedMemoryMs + margin) throw new Error(`it was accepted too long ago: ${acceptedAt}`);
}

/**
 * Settled orders are answered for by the books, dead letters by a person; what stays here for a failure of this runs out
 * by itself.
 */
export function forgetAccepted(redis: Redis, gifts: readonly AcceptedGift[], log: MemoryLog): void {
  redis.unlink(gifts.map(({ orderId }) => keyOf(orderId))).catch((error: Error) => {
    log.warn(
      { err: error, orders: gifts.length },
      "orders that are settled or dead letters are not forgotten: their keys run out by themselves",
    );
  });
}

/** Of the settler's channel: a person decides about a dead letter, and a queue that is lost later must not bring it back. */
export function forgetDead(this: { redis: Redis; logger: unknown }, gift: unknown): void {
  forgetAccepted(this.redis, [gift as AcceptedGift], this.logger as MemoryLog);
}
