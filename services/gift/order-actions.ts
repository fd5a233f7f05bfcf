import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import type { ActionDefinitions } from "../define-service.ts";
import { findGift } from "./accepted-orders.ts";
import type { giftActions } from "./gift.contract.ts";
import type { GiftState } from "./gift-state.ts";

type Actions = Pick<typeof giftActions, "order" | "orderForPlatform">;

/** Orders for those who sent them, and for the platform. */
export const orderActions: ActionDefinitions<Service & GiftState, Actions> = {
  order: {
    async handler(ctx) {
      const { orderId, userId } = ctx.params;
      const found = await findGift(this, orderId, userId);
      if (found?.senderId !== userId) throw fail("giftOrderUnknown", { orderId });
      const { id: _id, senderId: _senderId, ...order } = found;
      return order;
    },
  },
  orderForPlatform: {
    async handler(ctx) {
      const found = await findGift(this, ctx.params.orderId);
      if (!found) throw fail("giftOrderUnknown", { orderId: ctx.params.orderId });
      return found;
    },
  },
};
