import { z } from "zod";
import { call } from "../../contracts.ts";
import { fromHttp, pageOf } from "../../http-fields.ts";
import { paymentOperatorActions } from "../../payment/operators.contract.ts";
import { staffEndpoint } from "./endpoint.ts";

export const payKeyEndpoints = [
  staffEndpoint({
    path: "order/ofPayKey",
    summary: "The orders that still need a key of PAY_KEYS, which may not be removed before",
    description:
      "Each call reads a part of the orders, so a page may be empty and others follow: go on until `nextCursor` is null. " +
      "The console's command `pay-key` does so.",
    right: "read",
    params: fromHttp(paymentOperatorActions.ordersOfKey),
    about: ({ keyName }) => `payKey:${keyName}`,
    result: pageOf(z.string()),
    run: (ctx, params) => call(ctx, "payment.ordersOfKey", params),
  }),
];
