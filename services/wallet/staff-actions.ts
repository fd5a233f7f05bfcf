import type { Service } from "moleculer";
import type { ActionDefinitions } from "../define-service.ts";
import { postingsOn } from "./shown-postings.ts";
import type { walletStaffActions } from "./staff.contract.ts";
import { storyOn } from "./story.ts";
import type { WalletState } from "./wallet-state.ts";

/** What staff look up of the ledgers. Nothing here moves a coin. */
export const staffActions: ActionDefinitions<Service & WalletState, typeof walletStaffActions> = {
  incomePostings: {
    handler(ctx) {
      return postingsOn(this.servers, ctx.params);
    },
  },
  orderStory: {
    handler(ctx) {
      return storyOn(this.servers, ctx.params.orderId);
    },
  },
};
