import type { Context, Service } from "moleculer";
import { call } from "../contracts.ts";
import { bucketOf } from "../wallet-buckets.ts";
import type { AcceptancePorts } from "./acceptance.ts";
import { recallAccepted, rememberAccepted } from "./accepted-orders.ts";
import type { GiftState } from "./gift-state.ts";
import { enqueue } from "./queue.ts";

/** Acceptance on this node's cache, Redis, the books, the queue, and the neighbours' actions. */
export function acceptancePorts(service: Service & GiftState, ctx: Context<unknown>): AcceptancePorts {
  return {
    async knownOrder(orderId) {
      const waiting = await recallAccepted(service.redis, orderId, service.logger as never);
      return waiting?.contentHash ?? service.settledOrders.get(orderId);
    },
    gift: (giftId) => service.shelf.gift(giftId),
    anchorOf: (roomId) =>
      service.anchors.anchorOf(roomId, async () => (await call(ctx, "living-room.find", { roomId }))?.anchorId),
    sharePercentOf: (receiverId) => service.shares.percentOf(receiverId),
    funds: async (userId, amount) =>
      (await call(ctx, "wallet.checkFunds", { bucket: bucketOf(userId), userId, amount })).funds,
    enqueue: (gift, unique) => enqueue(service, gift, { unique, requestId: ctx.requestID }),
    remember: (gift) => rememberAccepted(service.redis, gift, service.logger as never),
  };
}
