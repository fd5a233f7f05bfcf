import { z } from "zod";
import { limits } from "../../../config/limits.ts";
import { call } from "../../contracts.ts";
import { fromHttp, pageOf } from "../../http-fields.ts";
import { paymentActions } from "../../payment/payment.contract.ts";
import { providers } from "../../payment/providers.contract.ts";
import { shownIncome, shownPayOrder, shownTrade } from "../../shown-money.ts";
import { walletActions } from "../../wallet/wallet.contract.ts";
import { endpoint } from "./endpoint.ts";

const base = "/live/api/bank";

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
