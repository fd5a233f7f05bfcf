import { z } from "zod";
import { isFailure } from "../../../broker/failure.ts";
import { call } from "../../contracts.ts";
import { fromHttp, shownUserId } from "../../http-fields.ts";
import { paymentActions } from "../../payment/payment.contract.ts";
import { shownFoundGift, showOrder } from "../../shown-gifts.ts";
import { shownPayOrder } from "../../shown-money.ts";
import { walletActions } from "../../wallet/wallet.contract.ts";
import { staffEndpoint } from "./endpoint.ts";

/** The anchors' shares of a refunded order. */
export const shownAffected = z.object({
  orderId: z.string(),
  userId: shownUserId,
  taken: z.int().meta({ description: "Coins that the refund took back." }),
  shortfall: z.int().meta({ description: "Coins that the refund could not take back, since they were spent." }),
  owing: z
    .int()
    .meta({ description: "The part of the shortfall that is still owed; later recharges have paid the rest." }),
  uncovered: z.int().meta({
    description: "The part of the shortfall for which no gift was found that earlier refunds had not claimed.",
  }),
  paidOff: z.array(z.object({ orderId: z.string(), coins: z.int() })).meta({
    description:
      "Where uncovered is above 0: debts of earlier refunds that were paid off by then; it was spent on their gifts.",
  }),
  paidOffCount: z.int().meta({ description: "The full length of paidOff, which has about the first thousand." }),
  time: z.string(),
  anchorCount: z.int().meta({ description: "The full length of anchors, which has about the first thousand." }),
  shares: z.object({ open: z.int(), held: z.int(), released: z.int() }).meta({
    description: "How many anchors' shares above 0 are in each state, also those that anchors has no room for.",
  }),
  anchors: z.array(
    z.object({
      anchorId: shownUserId,
      gifts: z.int(),
      coins: z.int(),
      share: z.int().meta({ description: "sharePoints in whole coins, rounded down." }),
      sharePoints: z.int().meta({ description: "The anchor's share of these coins, 100 points to a coin." }),
      state: z.enum(["open", "held", "released"]),
    }),
  ),
});

export const orderEndpoints = [
  staffEndpoint({
    path: "order/query",
    summary: "The order of any user: of a payment, or of a gift, settled or not",
    right: "read",
    params: fromHttp(paymentActions.findOrder, "operator"),
    result: z.discriminatedUnion("kind", [
      shownPayOrder.extend({
        kind: z.literal("payment"),
        userId: shownUserId,
        parked: z
          .array(z.string())
          .meta({ description: "Why a person must examine the order, e.g. creditHeld, paidTwice." }),
      }),
      shownFoundGift.extend({ kind: z.literal("gift") }),
    ]),
    failures: ["giftOrderUnknown"],
    async run(ctx, params, { operator, language }) {
      try {
        return { kind: "payment" as const, ...(await call(ctx, "payment.findOrder", { ...params, operator })) };
      } catch (error) {
        if (!isFailure(error, "payOrderUnknown")) throw error;
      }
      return {
        kind: "gift" as const,
        ...showOrder(await call(ctx, "gift.findOrder", { ...params, operator }), language),
      };
    },
  }),

  staffEndpoint({
    path: "income/affected",
    summary: "The gifts that a refunded order's missing coins were spent on, newest first, and the anchors' shares",
    right: "read",
    params: fromHttp(walletActions.affectedGifts, "operator"),
    result: shownAffected.extend({
      gifts: z.array(
        z.object({
          orderId: z.string(),
          anchorId: shownUserId,
          price: z.int().meta({ description: "The price of the whole gift, coins." }),
          coins: z.int().meta({ description: "The refunded coins in this gift." }),
          share: z.int(),
          sharePoints: z.int(),
          time: z.string(),
        }),
      ),
      nextCursor: z.string().nullable(),
    }),
    failures: ["refundUnknown"],
    run: (ctx, params, { operator }) => call(ctx, "wallet.affectedGifts", { ...params, operator }),
  }),
];
