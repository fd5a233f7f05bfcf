import { z } from "zod";
import { isFailure } from "../../../broker/failure.ts";
import { call } from "../../contracts.ts";
import { giftActions } from "../../gift/gift.contract.ts";
import { paymentActions } from "../../payment/payment.contract.ts";
import { walletActions } from "../../wallet/wallet.contract.ts";
import { shownPayOrder } from "./bank.ts";
import { endpoint } from "./endpoint.ts";
import { fromHttp, shownUserId } from "./fields.ts";
import { shownFoundGift, shownGift, showOrder } from "./gift.ts";

const base = "/live/admin";

const shownAccount = z.object({
  userId: shownUserId,
  balance: z.int(),
  debt: z.int(),
  totalCharged: z.int(),
  status: z.int().meta({ description: "0 invalid, 1 valid, 2 frozen" }),
});

const shownAffected = z.object({
  orderId: z.string(),
  userId: shownUserId,
  taken: z.int().meta({ description: "Coins that the refund took back." }),
  shortfall: z.int().meta({ description: "Coins that it could not, since they were spent." }),
  owing: z.int().meta({ description: "What of them is still owed; later recharges have paid the rest." }),
  uncovered: z
    .int()
    .meta({ description: "What of the shortfall no gift was found for that an earlier refund had not claimed." }),
  paidOff: z.array(z.object({ orderId: z.string(), coins: z.int() })).meta({
    description: "Where there is such: earlier refunds' debts that had been paid off by then; their gifts are meant.",
  }),
  paidOffCount: z.int().meta({ description: "How many there are; paidOff names about the first thousand." }),
  time: z.string(),
  anchorCount: z.int().meta({ description: "How many there are; anchors names about the first thousand." }),
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

export const adminEndpoints = [
  endpoint({
    path: `${base}/gift/create`,
    summary: "Adds a gift to the catalogue, on the shelf",
    access: "operator",
    params: fromHttp(giftActions.create, "operator"),
    result: shownGift,
    failures: ["giftIdTaken"],
    run: (ctx, params, { operator }) => call(ctx, "gift.create", { ...params, operator }),
  }),

  endpoint({
    path: `${base}/gift/update`,
    summary: "Changes a gift; what was accepted before keeps its price",
    access: "operator",
    params: fromHttp(giftActions.update, "operator"),
    result: shownGift,
    failures: ["giftUnknown"],
    run: (ctx, params, { operator }) => call(ctx, "gift.update", { ...params, operator }),
  }),

  endpoint({
    path: `${base}/gift/offShelf`,
    summary: "Takes a gift off the shelf",
    access: "operator",
    params: fromHttp(giftActions.takeOffShelf, "operator"),
    result: shownGift,
    failures: ["giftUnknown"],
    run: (ctx, { giftId }, { operator }) => call(ctx, "gift.takeOffShelf", { giftId, operator }),
  }),

  endpoint({
    path: `${base}/account/freeze`,
    summary: "Freezes an account until it is unfrozen",
    access: "operator",
    params: fromHttp(walletActions.freeze, "operator"),
    result: shownAccount,
    run: (ctx, params, { operator }) => call(ctx, "wallet.freeze", { ...params, operator }),
  }),

  endpoint({
    path: `${base}/account/unfreeze`,
    summary: "Unfreezes an account",
    access: "operator",
    params: fromHttp(walletActions.unfreeze, "operator"),
    result: shownAccount,
    run: (ctx, params, { operator }) => call(ctx, "wallet.unfreeze", { ...params, operator }),
  }),

  endpoint({
    path: `${base}/order/query`,
    summary: "Any user's order, of a payment or of a gift that is settled or on its way",
    access: "operator",
    params: fromHttp(paymentActions.findOrder, "operator"),
    result: z.discriminatedUnion("kind", [
      shownPayOrder.extend({
        kind: z.literal("payment"),
        userId: shownUserId,
        parked: z.array(z.string()).meta({ description: "What somebody has to look at, e.g. creditHeld, paidTwice." }),
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

  endpoint({
    path: `${base}/order/refund`,
    summary: "Refunds a paid order once and takes its coins back",
    access: "operator",
    params: fromHttp(paymentActions.refund, "operator"),
    result: shownPayOrder,
    failures: ["payOrderUnknown", "payOrderState"],
    run: (ctx, params, { operator }) => call(ctx, "payment.refund", { ...params, operator }),
  }),

  endpoint({
    path: `${base}/order/release`,
    summary: "Credits a paid order that is held back, since money of its payment had gone back before (creditHeld)",
    access: "operator",
    params: fromHttp(paymentActions.releaseOrder, "operator"),
    result: shownPayOrder,
    failures: ["payOrderUnknown", "payOrderState"],
    run: (ctx, params, { operator }) => call(ctx, "payment.releaseOrder", { ...params, operator }),
  }),

  endpoint({
    path: `${base}/income/affected`,
    summary: "The gifts that a refunded order's missing coins were spent on, newest first, and the anchors' shares",
    access: "operator",
    params: fromHttp(walletActions.affectedGifts, "operator"),
    result: shownAffected.extend({
      gifts: z.array(
        z.object({
          orderId: z.string(),
          anchorId: shownUserId,
          price: z.int().meta({ description: "Of the whole gift." }),
          coins: z.int().meta({ description: "What of it was paid with the refunded coins." }),
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

  endpoint({
    path: `${base}/income/hold`,
    summary: "Holds back the anchors' shares of these gifts, once; every anchor's or the one's that is named",
    access: "operator",
    params: fromHttp(walletActions.holdIncome, "operator"),
    result: shownAffected,
    failures: ["refundUnknown", "holdState"],
    run: (ctx, params, { operator }) => call(ctx, "wallet.holdIncome", { ...params, operator }),
  }),

  endpoint({
    path: `${base}/income/release`,
    summary: "Lets shares that are held back go again, for good",
    access: "operator",
    params: fromHttp(walletActions.releaseHold, "operator"),
    result: shownAffected,
    failures: ["refundUnknown", "holdState"],
    run: (ctx, params, { operator }) => call(ctx, "wallet.releaseHold", { ...params, operator }),
  }),
];
