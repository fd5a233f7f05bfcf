import { z } from "zod";
import { limits } from "../../../config/limits.ts";
import { call } from "../../contracts.ts";
import { paymentActions } from "../../payment/payment.contract.ts";
import { providers } from "../../payment/providers.contract.ts";
import { walletActions } from "../../wallet/wallet.contract.ts";
import { endpoint } from "./endpoint.ts";
import { fromHttp, pageOf } from "./fields.ts";

const base = "/live/api/bank";

export const shownPayOrder = z.object({
  orderId: z.string(),
  productId: z.int(),
  status: z.int().meta({ description: "0 waiting, 1 paying, 2 paid, 3 cancelled, 4 invalid, 5 refunded" }),
  coinNum: z.int(),
  amount: z.int().meta({ description: "Fen." }),
  payTime: z.string().optional(),
});

/** The part of a statement row that changed the owner's debt. */
const shownDebt = z.object({
  change: z.int().meta({ description: "Above 0 what a refund could not take back, below 0 what was paid off." }),
  after: z.int().meta({ description: "The whole debt after it." }),
  orders: z
    .array(z.object({ orderId: z.string(), coins: z.int() }))
    .meta({ description: "The refunded orders whose debt it is." }),
});

/** A row of a statement. */
export const shownTrade = z.object({
  id: z.string(),
  num: z.int(),
  type: z.int().meta({ description: "0 gift, 1 recharge, 2 refund, 3 adjustment" }),
  status: z.int().meta({ description: "0 rejected, 1 valid" }),
  bizId: z.string(),
  balanceAfter: z.int(),
  createTime: z.string(),
  orderId: z.string().optional().meta({
    description: "The payment order of a recharge or refund; where a recharge paid a debt off, the recharge's order.",
  }),
  externalOrderId: z.string().optional().meta({
    description: "The platform's order of coins that it sold itself, also where they paid a debt off.",
  }),
  debt: shownDebt.optional(),
});

/** The income of an anchor. */
export const shownIncome = z.object({
  income: z.int().meta({ description: "incomePoints in whole coins, rounded down: for display." }),
  incomePoints: z.int().meta({
    description: `What was earned, less what is held back and what was paid out; 100 points to a coin. Below 0 where
          what is held back had been paid out before: later income makes up for it.`.replace(/\s+/g, " "),
  }),
  earned: z.int(),
  earnedPoints: z.int(),
  heldBack: z.int(),
  heldBackPoints: z
    .int()
    .meta({ description: "Shares of gifts that were paid with refunded coins, held by an operator." }),
  paidOut: z.int(),
  paidOutPoints: z.int(),
  settledUpTo: z.string(),
});

export const bankEndpoints = [
  endpoint({
    path: `${base}/products`,
    summary: "Products on sale by price descending, the caller's balance, and the open channels",
    access: "login",
    params: fromHttp(paymentActions.products),
    result: z.object({
      currentBalance: z.int(),
      currentDebt: z
        .int()
        .meta({ description: "Coins that refunds could not take back; the next recharges pay them off." }),
      payProductItemVOList: z.array(z.object({ id: z.int(), name: z.string(), coinNum: z.int() })),
      payChannels: z
        .array(
          z.object({
            payChannel: z.int(),
            name: z.string().meta({ description: providers.map(({ name }) => name).join(", ") }),
            title: z.object({ zh: z.string(), en: z.string() }).meta({ description: "The channel's name for payers." }),
            kind: z.enum(["qr", "redirect", "page"]).meta({
              description:
                "The way to pay. qr: payUrl is the content of a QR code for the provider's app; redirect: the provider's page; page: a page of the provider at this server.",
            }),
          }),
        )
        .meta({ description: "The open channels, in the order in which to show them." }),
    }),
    async run(ctx, { type }, { userId }) {
      const [account, products, payChannels] = await Promise.all([
        call(ctx, "wallet.balance", { userId }),
        call(ctx, "payment.products", { type }),
        call(ctx, "payment.payChannels", {}),
      ]);
      const { balance: currentBalance, debt: currentDebt } = account;
      return { currentBalance, currentDebt, payProductItemVOList: products, payChannels };
    },
  }),

  endpoint({
    path: `${base}/payProduct`,
    summary: "Makes an order for a product, and returns the page or the QR code to pay it",
    access: "login",
    params: fromHttp(paymentActions.pay, "userId"),
    result: z.object({
      orderId: z.string(),
      payUrl: z.string().meta({ description: "See kind of payChannels in bank/products." }),
      amount: z.int().meta({ description: "Fen." }),
      expiresInS: z.int().meta({ description: "The time left to pay, seconds." }),
    }),
    failures: ["payChannelClosed"],
    perMinute: { user: limits.http.payOrdersPerUserPerMinute },
    run: (ctx, params, { userId }) => call(ctx, "payment.pay", { ...params, userId }),
  }),

  endpoint({
    path: `${base}/order`,
    summary: "A pay order of the caller",
    access: "login",
    params: fromHttp(paymentActions.order, "userId"),
    result: shownPayOrder,
    failures: ["payOrderUnknown"],
    run: (ctx, params, { userId }) => call(ctx, "payment.order", { userId, orderId: params.orderId }),
  }),

  endpoint({
    path: `${base}/trades`,
    summary: "The caller's statement, newest first; the sum of its valid rows is the balance",
    access: "login",
    params: fromHttp(walletActions.statement, "userId"),
    result: pageOf(shownTrade),
    run: (ctx, params, { userId }) => call(ctx, "wallet.statement", { ...params, userId }),
  }),

  endpoint({
    path: `${base}/income`,
    summary: "The caller's income as an anchor, with every gift that was settled before settledUpTo",
    access: "login",
    params: {},
    result: shownIncome,
    run: (ctx, _params, { userId }) => call(ctx, "wallet.income", { userId }),
  }),
];
