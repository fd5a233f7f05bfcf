import type { Service } from "moleculer";
import type { ActionDefinitions } from "../define-service.ts";
import type { GiftState } from "./gift-state.ts";
import type { giftStaffActions } from "./staff.contract.ts";
import { giftOrderStory } from "./story.ts";

/** What staff look up of gifts. */
export const staffActions: ActionDefinitions<Service & GiftState, typeof giftStaffActions> = {
  orderStory: {
    handler(ctx) {
      return giftOrderStory(this, ctx.params.orderId);
    },
  },
};
