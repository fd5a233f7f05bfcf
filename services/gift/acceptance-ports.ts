import type { Context, Service } from "moleculer";
import { fail, isUnavailable } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { AnswerCache } from "../../mixins/answer-cache.ts";
import { call } from "../contracts.ts";
import { bucketOf } from "../wallet-buckets.ts";
import type { AcceptancePorts } from "./acceptance.ts";
import { recallAccepted, rememberAccepted } from "./accepted-orders.ts";
import type { GiftState } from "./gift-state.ts";
import { enqueue } from "./queue.ts";

/**
 * A query of another service. Its time-out is a plain `unavailable`, since the gift is certainly not accepted: callers
 * must not take it for an unanswered `gift.send`, which may have accepted the gift.
 */
async function query<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw isUnavailable(error) ? fail("unavailable", { cause: (error as Error).message }) : error;
  }
}

/** The anchors of live rooms, by room id. Rooms that are not live are not cached, since they may open at any time. */
export function anchorCache(): GiftState["anchors"] {
  const { cacheEntries: max } = limits.room;
  return new AnswerCache({ max, ttlMs: limits.gift.anchorCacheMs, keeps: (anchorId) => anchorId !== undefined });
}

/** The ports of acceptance: this node's caches, Redis, the books, the queue, and the actions of other services. */
export function acceptancePorts(service: Service & GiftState, ctx: Context<unknown>): AcceptancePorts {
  return {
    async knownOrder(orderId) {
      const waiting = await recallAccepted(service.redis, orderId, service.logger);
      return waiting?.contentHash ?? service.settledOrders.get(orderId);
    },
    gift: (giftId) => service.catalogueCache.gift(giftId),
    anchorOf: (roomId) =>
      query(service.anchors.get(roomId, async () => (await call(ctx, "living-room.find", { roomId }))?.anchorId)),
    mayReceive: (userId) => query(service.receivers.has(userId)),
    sharePercentOf: (receiverId) => query(service.shares.percentOf(receiverId)),
    funds: async (userId, amount) =>
      (await query(call(ctx, "wallet.checkFunds", { bucket: bucketOf(userId), userId, amount }))).funds,
    enqueue: (gift, unique) => enqueue(service, gift, { unique, requestId: ctx.requestID }),
    remember: (gift) => rememberAccepted(service.redis, gift, service.logger),
  };
}
