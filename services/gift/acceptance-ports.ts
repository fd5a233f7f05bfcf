import type { Context, Service, ServiceBroker } from "moleculer";
import { fail, failureName, isUnavailable, reachedNobody } from "../../broker/failure.ts";
import { rendezvousNode } from "../../broker/rendezvous-strategy.ts";
import type { ServiceNodes } from "../../broker/service-nodes.ts";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { AnswerCache } from "../../mixins/answer-cache.ts";
import { BatchLoader, type NotLoaded } from "../../mixins/batch-loader.ts";
import { call } from "../contracts.ts";
import type { FundsVerdict } from "../wallet/wallet.contract.ts";
import { bucketOf } from "../wallet-buckets.ts";
import type { AcceptancePorts } from "./acceptance.ts";
import type { Found } from "./acceptance-checks.ts";
import { partitionOf } from "./accepted-gift.ts";
import { recallOrders } from "./accepted-orders.ts";
import type { PassedGift } from "./candidate.ts";
import { publishAllowed } from "./gate/gated-publication.ts";
import type { OpenGate } from "./gate/open-gate.ts";
import type { GiftState } from "./gift-state.ts";
import { publishGifts } from "./publication.ts";
import type { OrderOf } from "./record-server.ts";

type Accepting = Service & GiftState;
type Asking = Pick<Context, "call" | "requestID">;

/** Who receives gifts in live rooms, by room id. Rooms that are not live are not cached, since they may open at any time. */
export function roomCache(): GiftState["roomReceivers"] {
  const { cacheEntries: max } = limits.room;
  return new AnswerCache({ max, ttlMs: limits.gift.anchorCacheMs, keeps: (room) => room !== undefined });
}

/** The options of a query to a node that may be dead: the other gifts of the group must not wait for it for long. */
export const question = () => ({
  timeout: config().CALL_TIMEOUT_MS * limits.gift.questionShareOfTimeout,
  tracking: false as const,
});

/** Reads what is cached, and asks for the rest. An error concerns its key alone. */
async function findAll<Key, Value>(
  keys: ReadonlySet<Key>,
  cached: (key: Key) => Value | undefined,
  ask: (key: Key) => Promise<Value>,
): Promise<Map<Key, Found<Value>>> {
  const found = new Map<Key, Found<Value>>();
  const asked: Promise<void>[] = [];
  const askFor = async (key: Key) => {
    try {
      found.set(key, { value: await ask(key) });
    } catch (error) {
      found.set(key, { error });
    }
  };
  for (const key of keys) {
    const value = cached(key);
    if (value === undefined) asked.push(askFor(key));
    else found.set(key, { value });
  }
  if (asked.length > 0) await Promise.all(asked);
  return found;
}

/** Asks living-room about the rooms that are not cached, many in one call. */
export function roomLoader(broker: ServiceBroker): GiftState["roomsAsked"] {
  const ask = async (roomIds: string[]) => {
    const { list } = await call(broker, "living-room.anchorsOf", { roomIds: roomIds.map(Number) }, question());
    return new Map(list.map((room) => [String(room.roomId), room]));
  };
  return new BatchLoader(ask, { keys: limits.room.anchorsPerCall, queries: limits.gift.anchorCalls });
}

interface AskedFunds {
  readonly userId: string;
  readonly amount: number;
}

/**
 * Asks each wallet node about the senders whose buckets it has. A node that turns out to be gone is left out, and its
 * part asked of the others.
 */
async function fundsOfAll(
  walletNodes: ServiceNodes,
  ctx: Asking,
  gifts: readonly AskedFunds[],
  tries = 2,
): Promise<Found<FundsVerdict>[]> {
  const found: Found<FundsVerdict>[] = new Array(gifts.length);
  const nodes = walletNodes.ids();
  const nodeOf = ({ userId }: AskedFunds) =>
    nodes.length > 1 ? rendezvousNode(nodes, String(bucketOf(userId))) : nodes[0];
  const places = Map.groupBy(gifts.keys(), (at) => nodeOf(gifts[at] as AskedFunds));
  const askNode = async (nodeID: string | undefined, at: readonly number[]) => {
    const own = at.map((place) => gifts[place] as AskedFunds);
    try {
      if (nodeID === undefined) throw fail("unavailable", { cause: "there is no wallet" });
      const { funds } = await call(ctx, "wallet.checkFunds", { gifts: own }, { nodeID, ...question() });
      for (const [n, place] of at.entries()) found[place] = { value: funds[n] as FundsVerdict };
    } catch (error) {
      const again = nodeID !== undefined && reachedNobody(error) && tries > 1;
      if (again) walletNodes.leaveOut(nodeID);
      const rest = again ? await fundsOfAll(walletNodes, ctx, own, tries - 1) : undefined;
      for (const [n, place] of at.entries()) found[place] = rest?.[n] ?? { error };
    }
  };
  await Promise.all([...places].map(([nodeID, at]) => askNode(nodeID, at)));
  return found;
}

/** The ports of acceptance for one group: this node's caches, Redis, the books, the queue, and other services. */
export function acceptancePorts(service: Accepting, ctx: Asking): AcceptancePorts {
  const { redis, records, logger, orders } = service;
  const startedAt = performance.now();
  let redisAway = false;
  const reserved = new Set<string>();
  const recall = async (orderIds: readonly string[]) => {
    if (redisAway) return new Map<string, string>();
    try {
      const found = await recallOrders(redis, orderIds, service.signatures, logger);
      for (const orderId of found.reserved) reserved.add(orderId);
      return found.accepted;
    } catch (error) {
      redisAway = true;
      logger.warn({ err: error }, "accepted orders cannot be read from Redis: only this node and the books are asked");
      return new Map<string, string>();
    }
  };
  const knownOrders = async (asked: readonly OrderOf[]) => {
    // The settler writes the books before it removes an order from Redis, so they are asked after it.
    const known = new Map<string, string | NotLoaded>(await recall(asked.map(({ orderId }) => orderId)));
    const others = known.size === 0 ? asked : asked.filter(({ orderId }) => !known.has(orderId));
    if (others.length > 0)
      for (const [orderId, contentHash] of await records.contentHashes(others)) known.set(orderId, contentHash);
    return known;
  };
  /** Faults of this system; outages and refusals are answers. */
  const report = <Value>(asked: Promise<Value>): Promise<Value> =>
    asked.catch((error: unknown) => {
      if (failureName(error) === undefined && !isUnavailable(error))
        logger.error(
          { err: error, requestId: ctx.requestID },
          "a query of acceptance failed: its gifts are answered 500",
        );
      throw error;
    });
  const isReserved = (orderId: string) => reserved.has(orderId);
  const isStale = () => performance.now() - startedAt > config().CALL_TIMEOUT_MS * limits.gift.staleShareOfTimeout;
  const publish = (gifts: readonly PassedGift[]) =>
    publishGifts(service, gifts, { requestId: ctx.requestID, redisAway });
  const gated = { orders, knownOrders, isReserved, isStale, publish, log: logger };
  return {
    orders,
    knownOrders,
    isReserved,
    gifts: (ids) =>
      findAll(
        ids,
        (giftId) => service.catalogueCache.cached(giftId),
        (giftId) => report(service.catalogueCache.gift(giftId)),
      ),
    rooms: (ids) =>
      findAll(
        ids,
        (roomId) => service.roomReceivers.cached(roomId),
        (roomId) => report(service.roomReceivers.get(roomId, () => service.roomsAsked.get(String(roomId)))),
      ),
    receivers: (ids) =>
      findAll(
        ids,
        (userId) => service.receivers.cached(userId),
        (userId) => report(service.receivers.has(userId)),
      ),
    shares: (ids) =>
      findAll(
        ids,
        (anchorId) => service.shares.cached(anchorId),
        (anchorId) => report(service.shares.percentOf(anchorId)),
      ),
    funds: (gifts) => fundsOfAll(service.walletNodes, ctx, gifts),
    mayGive: (userId) => service.rate?.take(userId, performance.now()) ?? true,
    uncount: (userId) => service.rate?.restore(userId),
    isStale,
    isSilent: (userId) => service.silent.has(partitionOf(userId), performance.now()),
    publish: service.gate === undefined ? publish : (gifts) => publishAllowed(gifts, service.gate as OpenGate, gated),
  };
}
