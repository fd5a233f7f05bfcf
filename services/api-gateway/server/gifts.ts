import { z } from "zod";
import { isFailure, isUnavailable } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { failShowing } from "../../../mixins/http/answer.ts";
import type { CallingContext } from "../../../mixins/http/endpoint-form.ts";
import { call } from "../../contracts.ts";
import { externalRooms } from "../../external-rooms.ts";
import { giftActions } from "../../gift/gift.contract.ts";
import { orderIdOf } from "../../gift-order-id.ts";
import { fromHttp, shownUserId } from "../../http-fields.ts";
import { shownGift, shownOrder, showOrder } from "../../shown-gifts.ts";
import { wholeCatalogue } from "../endpoints/gift.ts";
import type { GiftParams } from "../gift-groups.ts";
import { giftFailures, sendGift } from "../gift-sending.ts";
import { shownWhileUnsure } from "./idempotent-writes.ts";
import { serverEndpoint } from "./server-endpoint.ts";

const own = ["userId", "receiverId", "roomId", "orderId", "isBanned", "traceparent"] as const;
const { requestId, ...sent } = fromHttp(giftActions.send, ...own);

/** A gift of the platform always has a request id. */
type KeyedGift = GiftParams & { requestId: string };

/**
 * Whether a gift whose request id is in use is the same request: the platform's id of its room has been given to another
 * room since. Fails: unavailable, which shows the `orderId`, while nobody knows its content.
 */
async function isSameRequest(ctx: CallingContext, gift: KeyedGift, orderId: string, externalRoomId: string) {
  try {
    const order = await call(ctx, "gift.orderForPlatform", { orderId });
    const { roomId, giftId, count, receiverId } = order;
    const isSame = giftId === gift.giftId && count === (gift.count ?? 1) && receiverId === gift.receiverId;
    if (!isSame || roomId === gift.roomId) return false;
    const rooms = await externalRooms(ctx.broker).externalIdsOf([roomId]);
    return rooms.get(roomId) === externalRoomId;
  } catch (error) {
    // It is accepted, with this content or another one, and not settled yet or not to be read now.
    if (isFailure(error, "giftOrderUnknown") || isUnavailable(error)) throw failShowing("unavailable", { orderId });
    throw error;
  }
}

export const giftEndpoints = [
  serverEndpoint({
    path: "gifts/send",
    summary:
      "Sends a gift for a user: accepted durably when this answers, settled soon after (gifts/order, gift.settled)",
    description:
      "It is the user's own gift: the same balance, checks and limits of a user, and the same order as a gift/send of the " +
      "user with this `requestId`. The same request may be sent again after any answer, after none and after a 503: it is " +
      "one order and one charge, also when the room has been closed since. After a 503 it may have been accepted: send " +
      "the same request again, or ask gifts/order with its `data.orderId`. A 429 did not accept it. After a refusal, e.g. for the " +
      "balance, a new try needs a new Idempotency-Key.",
    scope: "gifts:send",
    write: true,
    rerun: true,
    refers: { userId: "user", receiverId: "user", roomId: "lastRoom" },
    params: { ...sent, requestId: requestId.unwrap() },
    result: z.object({ orderId: z.string() }),
    unsure: z.object({ orderId: z.string() }),
    perKeyPerMinute: limits.platform.giftsPerKeyPerMinute,
    failures: giftFailures,
    async run(ctx, { externalRoomId, ...gift }) {
      try {
        return await sendGift(ctx, gift);
      } catch (error) {
        const orderId = orderIdOf(gift.userId, gift.requestId);
        const isElsewhere = externalRoomId !== undefined && isFailure(error, "idempotencyConflict");
        if (isElsewhere && (await isSameRequest(ctx, gift, orderId, externalRoomId))) return { orderId };
        throw shownWhileUnsure(error, { orderId });
      }
    },
  }),

  serverEndpoint({
    path: "gifts/order",
    summary: "The state of a gift of any user",
    description:
      "An order from a 503 of gifts/send is unknown (501) until it is settled or the repeated request is answered.",
    scope: "gifts:read",
    params: fromHttp(giftActions.orderForPlatform),
    result: shownOrder.extend({ senderId: shownUserId }),
    failures: ["giftOrderUnknown"],
    async run(ctx, { orderId }, { language }) {
      const { id: _id, ...order } = await call(ctx, "gift.orderForPlatform", { orderId });
      return showOrder(order, language);
    },
  }),

  serverEndpoint({
    path: "gifts/list",
    summary: "The gifts on sale",
    scope: "gifts:read",
    params: {},
    result: z.object({ list: z.array(shownGift) }),
    run: async (ctx) => ({ list: await wholeCatalogue(ctx) }),
  }),
];
