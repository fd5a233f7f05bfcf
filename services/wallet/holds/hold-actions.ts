import type { Service } from "moleculer";
import type { ActionDefinitions } from "../../define-service.ts";
import type { walletActions } from "../wallet.contract.ts";
import type { WalletState } from "../wallet-state.ts";
import { freeHoldOn, holdFree, releaseFree } from "./free-holds.ts";
import { affectedGifts, moveHolds, serverOfRefund } from "./holds.ts";

type Name = "affectedGifts" | "holdIncome" | "releaseHold" | "holdFree" | "releaseFree" | "freeHold";

/** The actions on income that is held back. */
export const holdHandlers: ActionDefinitions<Service & WalletState, Pick<typeof walletActions, Name>> = {
  affectedGifts: {
    operator: true,
    async handler(ctx) {
      const { view } = await serverOfRefund(this.servers, ctx.params.orderId);
      return affectedGifts(view.mysql, ctx.params);
    },
  },
  holdIncome: {
    operator: true,
    async handler(ctx) {
      const { view } = await serverOfRefund(this.servers, ctx.params.orderId);
      return moveHolds(view, "held", ctx.params);
    },
  },
  releaseHold: {
    operator: true,
    async handler(ctx) {
      const { view } = await serverOfRefund(this.servers, ctx.params.orderId);
      return moveHolds(view, "released", ctx.params);
    },
  },
  holdFree: {
    operator: true,
    handler(ctx) {
      return holdFree(this.servers, ctx.params);
    },
  },
  releaseFree: {
    operator: true,
    handler(ctx) {
      return releaseFree(this.servers, ctx.params);
    },
  },
  freeHold: {
    handler(ctx) {
      return freeHoldOn(this.servers, ctx.params.holdId);
    },
  },
};
