import type { Service } from "moleculer";
import type { ActionDefinitions } from "../../define-service.ts";
import type { walletActions } from "../wallet.contract.ts";
import type { WalletState } from "../wallet-state.ts";
import { findFreeHold, holdFree, releaseFree } from "./free-holds.ts";
import { affectedGifts, moveHolds } from "./holds.ts";

type Name = "affectedGifts" | "holdIncome" | "releaseHold" | "holdFree" | "releaseFree" | "freeHold";

/** The actions on income that is held back. */
export const holdHandlers: ActionDefinitions<Service & WalletState, Pick<typeof walletActions, Name>> = {
  affectedGifts: {
    operator: true,
    handler(ctx) {
      return affectedGifts(this.mysql, ctx.params);
    },
  },
  holdIncome: {
    operator: true,
    handler(ctx) {
      return moveHolds(this, "held", ctx.params);
    },
  },
  releaseHold: {
    operator: true,
    handler(ctx) {
      return moveHolds(this, "released", ctx.params);
    },
  },
  holdFree: {
    operator: true,
    handler(ctx) {
      return holdFree(this, ctx.params);
    },
  },
  releaseFree: {
    operator: true,
    handler(ctx) {
      return releaseFree(this, ctx.params);
    },
  },
  freeHold: {
    handler(ctx) {
      return findFreeHold(this.mysql, ctx.params.holdId);
    },
  },
};
