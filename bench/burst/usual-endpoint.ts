import { randomUUID } from "node:crypto";
import { contentHashOf } from "../../services/gift/accepted-gift.ts";
import { consumers } from "../baseline/baseline.ts";
import { closeMeans, type Means, openMeans, settleGift } from "../baseline/settler.ts";
import { giftPrice } from "../settle/gifts.ts";
import { runWebAction } from "../support/web-action.ts";
import type { BurstGift } from "./burst-gifts.ts";

/*
 * How the usual design accepts a gift: the request itself charges it, in one transaction for each gift, exactly as a
 * consumer of the baseline settles it (bench/baseline/settler.ts), and is answered after the commit. Its token is the
 * user's id and is not verified, and it looks up no room, price or request id. So the comparison favours it.
 */

interface Caller {
  userId: string;
}

async function send(means: Means, request: BurstGift, senderId: string) {
  const { giftId, roomId, receiverId, type, count } = request;
  const orderId = randomUUID();
  const gift = {
    ...{ orderId, senderId, giftId, roomId, receiverId, type, count },
    ...{ price: giftPrice, sharePercent: 50, url: "../svga/angel.svga" },
    contentHash: contentHashOf(request),
    acceptedAt: new Date().toISOString(),
  };
  const paid = await settleGift(means, gift, () => {});
  return paid ? { code: 200, msg: "成功", data: { orderId } } : { code: 10_010, msg: "余额不足", data: null };
}

runWebAction<BurstGift, Caller>(async () => {
  const means = await openMeans(consumers);
  return {
    node: "usual",
    run: ({ params, meta }) => send(means, params, meta.userId),
    before: ({ meta }, { headers }) => {
      meta.userId = (headers.authorization ?? "").slice("Bearer ".length);
    },
    stop: () => closeMeans(means),
  };
});
