import { z } from "zod";
import { fromHttp, shownUserId } from "../../http-fields.ts";
import { walletActions } from "../../wallet/wallet.contract.ts";
import { carriedOutByStaff } from "../carried-out.ts";
import { staffEndpoint } from "./endpoint.ts";

const shownAccount = z.object({
  userId: shownUserId,
  balance: z.int(),
  debt: z.int(),
  totalCharged: z.int(),
  status: z.int().meta({ description: "0 invalid, 1 valid, 2 frozen" }),
});

export const accountEndpoints = [
  staffEndpoint({
    path: "account/freeze",
    summary: "Freezes an account until it is unfrozen",
    right: "freeze",
    params: fromHttp(walletActions.freeze, "operator"),
    result: shownAccount,
    run: (ctx, params, { session }) => carriedOutByStaff(ctx, session, "freeze", params),
  }),

  staffEndpoint({
    path: "account/unfreeze",
    summary: "Unfreezes an account",
    right: "freeze",
    params: fromHttp(walletActions.unfreeze, "operator"),
    result: shownAccount,
    run: (ctx, params, { session }) => carriedOutByStaff(ctx, session, "unfreeze", params),
  }),
];
