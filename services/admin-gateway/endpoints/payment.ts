import { z } from "zod";
import { call } from "../../contracts.ts";
import { fromHttp, pageOf, shownUserId } from "../../http-fields.ts";
import { paymentOperatorActions } from "../../payment/operators.contract.ts";
import { carriedOutByStaff } from "../carried-out.ts";
import { staffEndpoint } from "./endpoint.ts";

const shownTopic = z.object({
  bizCode: z.int(),
  topic: z.string(),
  status: z.int().meta({ description: "0 off, 1 on" }),
  remark: z.string(),
  waiting: z.int().meta({ description: "Paid orders of the biz code that wait for a topic." }),
});

const channel = z.string().meta({ description: "A pay channel, or wallet." });
const transactionId = z
  .string()
  .nullable()
  .meta({ description: "The provider's id of the payment, where there is one." });

export const paymentEndpoints = [
  staffEndpoint({
    path: "topic/list",
    summary: "The topics of paid orders, by biz code",
    right: "read",
    params: fromHttp(paymentOperatorActions.topics, "operator"),
    result: z.object({ list: z.array(shownTopic) }),
    run: (ctx, _params, { operator }) => call(ctx, "payment.topics", { operator }),
  }),

  staffEndpoint({
    path: "topic/set",
    summary: "Sets the topic of a biz code; paid orders that wait for it are credited within half a minute",
    right: "topics",
    params: fromHttp(paymentOperatorActions.setTopic, "operator"),
    result: shownTopic,
    failures: ["topicRefused"],
    run: (ctx, params, { session }) => carriedOutByStaff(ctx, session, "setTopic", params),
  }),

  staffEndpoint({
    path: "parked/list",
    summary: "Orders that wait for a person, oldest first, and what may be done about each mark",
    right: "read",
    params: fromHttp(paymentOperatorActions.parkedOrders, "operator"),
    result: pageOf(
      z.object({
        orderId: z.string(),
        userId: shownUserId,
        status: z.int().meta({ description: "0 waiting, 1 paying, 2 paid, 3 cancelled, 4 invalid, 5 refunded" }),
        amount: z.int().meta({ description: "Fen." }),
        coinNum: z.int(),
        marks: z.array(
          z.object({
            mark: z.string(),
            transactionId,
            since: z.string(),
            actions: z
              .array(z.enum(["setTopic", "release", "refund", "remove"]))
              .meta({ description: "topic/set, order/release, order/refund, parked/remove" }),
          }),
        ),
      }),
    ),
    run: (ctx, params, { operator }) => call(ctx, "payment.parkedOrders", { ...params, operator }),
  }),

  staffEndpoint({
    path: "parked/remove",
    summary: "Takes a mark off an order, once it is settled at the provider",
    right: "parked",
    params: fromHttp(paymentOperatorActions.removeMark, "operator"),
    result: z.object({
      orderId: z.string(),
      removed: z.boolean().meta({ description: "false: the order did not have this mark." }),
      parked: z.array(z.string()).meta({ description: "The marks that are left." }),
    }),
    failures: ["payOrderUnknown", "markStays"],
    run: (ctx, params, { session }) => carriedOutByStaff(ctx, session, "removeMark", params),
  }),

  staffEndpoint({
    path: "reconciliation/days",
    summary: "The comparisons of the latest days with bills and wallet, newest day first",
    right: "read",
    params: fromHttp(paymentOperatorActions.comparedDays, "operator"),
    result: z.object({
      list: z.array(
        z.object({
          date: z.string(),
          channel,
          comparedTime: z.string().nullable().meta({ description: "null: not compared yet." }),
          compared: z.int().meta({ description: "Lines of the bill, or credits and refunds." }),
          open: z.int().meta({ description: "Differences that nobody has resolved." }),
          problem: z.string().nullable().meta({ description: "Why the latest attempt failed; it is tried again." }),
        }),
      ),
    }),
    run: (ctx, _params, { operator }) => call(ctx, "payment.comparedDays", { operator }),
  }),

  staffEndpoint({
    path: "reconciliation/differences",
    summary: "Differences between orders, bills and the wallet that nobody has resolved, oldest first",
    right: "read",
    params: fromHttp(paymentOperatorActions.differences, "operator"),
    result: pageOf(
      z.object({
        id: z.int(),
        date: z.string(),
        channel,
        kind: z.string(),
        orderId: z.string(),
        transactionId,
        detail: z.string(),
        foundTime: z.string(),
      }),
    ),
    run: (ctx, params, { operator }) => call(ctx, "payment.differences", { ...params, operator }),
  }),

  staffEndpoint({
    path: "reconciliation/resolve",
    summary: "Resolves a difference that is explained or settled; metrics and lists leave it out from then on",
    right: "parked",
    params: fromHttp(paymentOperatorActions.resolveDifference, "operator"),
    result: z.object({ id: z.int(), resolvedTime: z.string(), reason: z.string() }),
    failures: ["differenceUnknown"],
    run: (ctx, params, { session }) => carriedOutByStaff(ctx, session, "resolveDifference", params),
  }),
];
