import type { Redis } from "ioredis";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import type { MessageSignatures } from "../../mixins/jetstream.mixin.ts";
import { sendAlways } from "../../mixins/redis/client.ts";
import { luaScript } from "../../mixins/redis/lua-script.ts";
import { acceptedHashOf, orderKey } from "./accepted-orders.ts";

const reserveScript = luaScript("services/gift/lua/reserve-orders.lua");
const rememberScript = luaScript("services/gift/lua/remember-orders.lua");
const withdrawScript = luaScript("services/gift/lua/withdraw-orders.lua");

export interface OrderContent {
  readonly orderId: string;
  readonly contentHash: string;
}

/**
 * `reserved`: for this owner. `reservedBefore`: an earlier request reserved the same content and may have published it.
 * `reservedElsewhere`: other content is reserved, or the stored value is invalid; whether the order is accepted is not
 * known. An object: the order is accepted, with this content.
 */
export type Reservation = "reserved" | "reservedBefore" | "reservedElsewhere" | { readonly acceptedHash: string };

/**
 * Reserves orders for their content, just before they are published. Returns the reservations in the order of `orders`.
 * A reservation that is not withdrawn lives as long as an order may wait to be settled. Fails: unavailable.
 */
export async function reserveOrders(
  redis: Redis,
  orders: readonly OrderContent[],
  owner: string,
  signatures: MessageSignatures,
  log: Log,
): Promise<Reservation[]> {
  const keys = orders.map(({ orderId }) => orderKey(orderId));
  const hashes = orders.map(({ contentHash }) => contentHash);
  const life = limits.gift.acceptedMemoryMs;
  const found = (await redis.eval(reserveScript, keys.length, ...keys, owner, life, ...hashes)) as string[];
  return found.map((value, at) => {
    if (value === "") return "reserved";
    if (value === "*") return "reservedBefore";
    const acceptedHash = acceptedHashOf(value, orders[at]?.orderId ?? "", signatures, log);
    return acceptedHash === undefined ? "reservedElsewhere" : { acceptedHash };
  });
}

/** Removes the owner's reservations of orders that were certainly not accepted. Never rejects. */
export async function withdrawOrders(
  redis: Redis,
  orders: readonly OrderContent[],
  owner: string,
  log: Log,
): Promise<void> {
  const keys = orders.map(({ orderId }) => orderKey(orderId));
  const hashes = orders.map(({ contentHash }) => contentHash);
  // To a silent Redis too: it may run the reservation when it goes on, and this after it.
  const args = [withdrawScript, keys.length, ...keys, owner, ...hashes];
  await sendAlways(redis, "eval", args).catch((error: Error) => {
    log.warn(
      { err: error, orders: orders.length },
      "reservations of gifts that were not accepted could not be removed: they expire by themselves",
    );
  });
}

/**
 * Stores accepted gifts until they are settled. The first `reserved` ones were reserved: where such a reservation is
 * gone, the gift is settled already and is not stored. `json` is signed: what is put back from Redis is settled. Never
 * rejects: an order that is not stored is unknown to queries until it is settled.
 */
export async function rememberOrders(
  redis: Redis,
  gifts: readonly { readonly orderId: string; readonly json: string }[],
  reserved: number,
  log: Log,
): Promise<void> {
  const keys = gifts.map(({ orderId }) => orderKey(orderId));
  const texts = gifts.map(({ json }) => json);
  const life = limits.gift.acceptedMemoryMs;
  await redis.eval(rememberScript, keys.length, ...keys, life, reserved, ...texts).catch((error: Error) => {
    log.warn(
      { err: error, orderId: gifts[0]?.orderId, orders: gifts.length },
      "accepted orders could not be stored in Redis: their status is unknown until they are settled",
    );
  });
}
