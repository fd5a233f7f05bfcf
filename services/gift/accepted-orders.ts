import type { Redis } from "ioredis";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { forgedReason } from "../../mixins/jetstream/signatures.ts";
import type { MessageSignatures } from "../../mixins/jetstream.mixin.ts";
import { type AcceptedGift, contentHashOf, parseAcceptedGift } from "./accepted-gift.ts";
import type { FoundGift } from "./gift.contract.ts";

/**
 * The orders that are accepted and not settled yet, in Redis, for repeats and queries; and before that the reservations
 * of order-reservations.ts, under the same keys. All of it may be lost: then the queue and the books answer.
 *
 *     (none) → reserved → accepted → (none)      settled, or a dead letter
 *     reserved → (none)                          certainly not accepted, or settled before it was stored as accepted
 *     (none) → accepted                          without a request id, or where Redis was away
 */
export const orderKey = (orderId: string) => `gift:accepted:${orderId}`;

const isReservation = (value: string) => value.startsWith("reserved:");

/** @throws Error where no gift node has signed the value for this key, or acceptance cannot have written it. */
function giftIn(text: string, key: string, signatures: MessageSignatures): AcceptedGift {
  const opened = signatures.open(key, text);
  if ("fault" in opened) throw new Error(forgedReason(opened.fault, signatures, Buffer.from(text)));
  const gift = parseAcceptedGift(JSON.parse(opened.body));
  requirePlausible(gift, key, Date.now());
  return gift;
}

/**
 * The content hash of an order's stored value; `undefined` for a reservation, and for a value that no gift node has
 * signed for this order, which is logged: it concerns that order alone.
 */
export function acceptedHashOf(
  value: string,
  orderId: string,
  signatures: MessageSignatures,
  log: Log,
): string | undefined {
  if (isReservation(value)) return undefined;
  try {
    return giftIn(value, orderKey(orderId), signatures).contentHash;
  } catch (error) {
    log.error(
      { err: error, key: orderKey(orderId) },
      "an order in Redis is invalid: its gift is answered 503 until the key is removed; check who wrote it",
    );
    return undefined;
  }
}

/** What Redis has of some orders. */
export interface RecalledOrders {
  /** The content hashes of accepted orders. */
  readonly accepted: Map<string, string>;
  /** Orders that were being published, by this or another node. */
  readonly reserved: readonly string[];
}

/** Fails: unavailable. */
export async function recallOrders(
  redis: Redis,
  orderIds: readonly string[],
  signatures: MessageSignatures,
  log: Log,
): Promise<RecalledOrders> {
  const values = await redis.mget(orderIds.map(orderKey));
  const accepted = new Map<string, string>();
  const reserved: string[] = [];
  for (const [at, value] of values.entries()) {
    if (value === null) continue;
    const orderId = orderIds[at] as string;
    const contentHash = acceptedHashOf(value, orderId, signatures, log);
    if (contentHash === undefined) reserved.push(orderId);
    else accepted.set(orderId, contentHash);
  }
  return { accepted, reserved };
}

/** `undefined` where Redis does not have it or cannot be asked, and for what no gift node has signed, which is logged. */
export async function recallAccepted(
  redis: Redis,
  orderId: string,
  signatures: MessageSignatures,
  log: Log,
): Promise<AcceptedGift | undefined> {
  const key = orderKey(orderId);
  let text: string | null;
  try {
    text = await redis.get(key);
  } catch (error) {
    log.warn({ err: error, orderId }, "accepted orders cannot be read from Redis: only the gift records are asked");
    return undefined;
  }
  if (text === null || isReservation(text)) return undefined;
  try {
    return giftIn(text, key, signatures);
  } catch (error) {
    log.error({ err: error, key }, "an order in Redis is invalid and is not shown: check who wrote it");
    return undefined;
  }
}

/** What finds a gift by its order. */
interface Finding {
  readonly records: { findRecord(orderId: string, userId?: string): Promise<FoundGift | undefined> };
  readonly redis: Redis;
  readonly signatures: MessageSignatures;
  readonly logger: Log;
}

/**
 * A gift by its order, from the books or, until it is settled, from Redis; `undefined` where neither has it. `userId`: its
 * sender, where she alone may see it. The settler writes the books before it removes the order from Redis. So if neither
 * had it, it may have been settled between the two lookups, and the books are asked again.
 */
export async function findGift(
  { records, redis, signatures, logger }: Finding,
  orderId: string,
  userId?: string,
): Promise<FoundGift | undefined> {
  const settled = await records.findRecord(orderId, userId);
  if (settled) return settled;
  const waiting = await recallAccepted(redis, orderId, signatures, logger);
  return waiting ? onItsWay(waiting) : records.findRecord(orderId, userId);
}

function onItsWay(gift: AcceptedGift): FoundGift {
  const { orderId, senderId, receiverId, roomId, giftId, count, price, acceptedAt: time } = gift;
  return { orderId, senderId, status: "accepted", giftId, count, price, receiverId, roomId, time };
}

/**
 * All accepted orders in Redis, in portions; some may have just been settled. An entry that no gift node has signed for
 * this order, or that acceptance cannot have written, is left out: other services can write to Redis. Rejects without
 * Redis.
 */
export async function* allAccepted(
  redis: Redis,
  signatures: MessageSignatures,
  log: Log,
): AsyncGenerator<AcceptedGift[]> {
  const prefix = redis.options.keyPrefix ?? "";
  for (let cursor: string | undefined; cursor !== "0"; ) {
    const [next, keys] = await redis.scan(cursor ?? "0", "MATCH", `${prefix}${orderKey("*")}`, "COUNT", 1_000);
    cursor = next;
    if (keys.length === 0) continue;
    // The client adds its prefix to keys that it sends, and does not remove it from keys that it receives.
    const texts = await redis.mget(keys.map((key) => key.slice(prefix.length)));
    yield texts.flatMap((text, at) => readGift(text, (keys[at] as string).slice(prefix.length), signatures, log));
  }
}

function readGift(text: string | null, key: string, signatures: MessageSignatures, log: Log): AcceptedGift[] {
  if (text === null || isReservation(text)) return [];
  try {
    return [giftIn(text, key, signatures)];
  } catch (error) {
    log.error({ err: error, key }, "an accepted order in Redis is invalid and is not put back: check who wrote it");
    return [];
  }
}

/** @throws Error with the reason why acceptance cannot have written this entry, or not within its lifetime. */
function requirePlausible(gift: AcceptedGift, key: string, nowMs: number): void {
  const { acceptedMemoryMs, acceptedClockMarginMs: margin } = limits.gift;
  const { orderId, senderId, receiverId, contentHash, acceptedAt } = gift;
  if (key !== orderKey(orderId)) throw new Error(`it has the key of another order than ${orderId}`);
  if (contentHashOf(gift) !== contentHash) throw new Error("its content hash is not that of its content");
  if (senderId === receiverId) throw new Error("its sender is its receiver");
  const ageMs = nowMs - Date.parse(acceptedAt);
  if (ageMs < -margin) throw new Error(`it was accepted in the future: ${acceptedAt}`);
  if (ageMs > acceptedMemoryMs + margin) throw new Error(`it was accepted too long ago: ${acceptedAt}`);
}

/**
 * The books have settled orders, and a person decides about dead letters. Entries that cannot be removed expire by
 * themselves.
 */
export function forgetAccepted(redis: Redis, gifts: readonly AcceptedGift[], log: Log): void {
  redis.unlink(gifts.map(({ orderId }) => orderKey(orderId))).catch((error: Error) => {
    log.warn(
      { err: error, orders: gifts.length },
      "orders that are settled or dead letters could not be removed from Redis: their keys expire by themselves",
    );
  });
}
