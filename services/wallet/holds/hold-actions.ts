import type { Service } from "moleculer";
import type { ActionDefinitions } from "../../define-service.ts";
import type { walletActions } from "../wallet.contract.ts";
import type { WalletState } from "../wallet-state.ts";
import { freeHoldOn, holdFree, releaseFree } from "./free-holds.ts";
import { affectedGifts } from "./holds.ts";
import { moveHolds } from "./move-holds.ts";

type Name = "affectedGifts" | "holdIncome" | "releaseHold" | "holdFree" | "releaseFree" | "freeHold";

/** The actions on income that is held back. */
export const holdHandlers: ActionDefinitions<Service & WalletState, Pick<typeof walletActions, Name>> = {
  affectedGifts: {
    operator: true,
    handler(ctx) {
      return affectedGifts(this.servers, ctx.params);
    },
  },
  holdIncome: {
    operator: true,
    handler(ctx) {
      return moveHolds(this.servers, "held", ctx.params);
    },
  },
  releaseHold: {
    operator: true,
    handler(ctx) {
      return moveHolds(this.servers, "released", ctx.params);
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
