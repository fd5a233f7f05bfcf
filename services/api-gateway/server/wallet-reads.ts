import { z } from "zod";
import { call } from "../../contracts.ts";
import { fromHttp, pageOf, shownUserId } from "../../http-fields.ts";
import { shownIncome, shownTrade } from "../../shown-money.ts";
import { walletActions } from "../../wallet/wallet.contract.ts";
import { serverEndpoint } from "./server-endpoint.ts";

export const walletReadEndpoints = [
  serverEndpoint({
    path: "wallet/balance",
    summary: "The coins of a user",
    description: "A user without an account has 0 of everything.",
    scope: "wallet:read",
    refers: { userId: "user" },
    params: {},
    result: z.object({
      userId: shownUserId,
      balance: z.int(),
      debt: z.int().meta({ description: "Coins that refunds could not take back; the next recharges pay them off." }),
      totalCharged: z.int(),
      status: z.int().meta({ description: "0 invalid, 1 valid, 2 frozen" }),
    }),
    run: (ctx, { userId }) => call(ctx, "wallet.balance", { userId }),
  }),

  serverEndpoint({
    path: "wallet/statement",
    summary: "The statement of a user, newest first; the sum of its valid rows is the balance",
    scope: "wallet:read",
    refers: { userId: "user" },
    params: fromHttp(walletActions.statement, "userId"),
    result: pageOf(shownTrade).extend({ userId: shownUserId }),
    async run(ctx, params) {
      const page = await call(ctx, "wallet.statement", params);
      return { userId: params.userId, ...page };
    },
  }),

  serverEndpoint({
    path: "wallet/income",
    summary: "The income of a user as an anchor, with every gift that was settled before settledUpTo",
    scope: "wallet:read",
    refers: { userId: "user" },
    params: {},
    result: shownIncome.extend({ userId: shownUserId }),
    async run(ctx, { userId }) {
      const income = await call(ctx, "wallet.income", { userId });
      return { userId, ...income };
    },
  }),
];
