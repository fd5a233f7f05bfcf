import type { Service } from "moleculer";
import type { ActionDefinitions } from "../define-service.ts";
import type { GiftState } from "./gift-state.ts";
import { giftMinutes } from "./minutes.ts";
import { queueDepth } from "./queue-depth.ts";
import { sharesPage } from "./shares.ts";
import type { giftWorkActions } from "./work.contract.ts";

/** What staff and consoles look at. */
export const workActions: ActionDefinitions<Service & GiftState, typeof giftWorkActions> = {
  shares: {
    handler(ctx) {
      return sharesPage(this.mysql, this.bookKeys, ctx.params);
    },
  },
  queueDepth: {
    handler() {
      return queueDepth(this);
    },
  },
  figures: {
    async handler() {
      return { perMinute: await giftMinutes(this) };
    },
  },
};
