import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import type { ActionDefinitions } from "../define-service.ts";
import { findGift } from "./accepted-orders.ts";
import { createGift, editGift } from "./catalogue-edits.ts";
import type { giftActions } from "./gift.contract.ts";
import type { GiftState } from "./gift-state.ts";
import { setShare } from "./shares.ts";

type Actions = Pick<typeof giftActions, "create" | "update" | "takeOffShelf" | "allGifts" | "findOrder" | "setShare">;

/** The operators' actions on the catalogue and on orders; each call leaves an audit row. */
export const operatorActions: ActionDefinitions<Service & GiftState, Actions> = {
  create: {
    operator: true,
    handler(ctx) {
      const { operator: _operator, ...gift } = ctx.params;
      return createGift(this, gift);
    },
  },
  update: {
    operator: true,
    handler(ctx) {
      const { giftId, giftName, price, coverImgUrl, svgaUrl, status } = ctx.params;
      return editGift(this, giftId, { giftName, price, coverImgUrl, svgaUrl, status });
    },
  },
  takeOffShelf: {
    operator: true,
    handler(ctx) {
      return editGift(this, ctx.params.giftId, { status: 0 });
    },
  },
  allGifts: {
    operator: true,
    handler(ctx) {
      return this.catalogueCache.pageOfAll(ctx.params.after);
    },
  },
  setShare: {
    operator: true,
    async handler(ctx) {
      const { from, ...change } = ctx.params;
      const written = await setShare(this.mysql, this.bookKeys, { ...change, from: from ? new Date(from) : undefined });
      return { from: written.from.toISOString() };
    },
  },
  findOrder: {
    operator: true,
    async handler(ctx) {
      const found = await findGift(this, ctx.params.orderId);
      if (!found) throw fail("giftOrderUnknown", { orderId: ctx.params.orderId });
      return found;
    },
  },
};
