import type { Service } from "moleculer";
import type { ActionDefinitions } from "../define-service.ts";
import type { walletStaffActions } from "./staff.contract.ts";
import { orderStory } from "./story.ts";
import { postingsOfAnchor } from "./story-store.ts";
import type { WalletState } from "./wallet-state.ts";

/** What staff look up of the ledgers. Nothing here moves a coin. */
export const staffActions: ActionDefinitions<Service & WalletState, typeof walletStaffActions> = {
  incomePostings: {
    handler(ctx) {
      return postingsOfAnchor(this.mysql, ctx.params);
    },
  },
  orderStory: {
    handler(ctx) {
      return orderStory(this.mysql, ctx.params.orderId);
    },
  },
};
