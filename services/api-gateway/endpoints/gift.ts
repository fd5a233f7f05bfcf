import { z } from "zod";
import { call } from "../../contracts.ts";
import { type CatalogueGift, giftActions } from "../../gift/gift.contract.ts";
import { fromHttp, pageOf } from "../../http-fields.ts";
import { shownGift, shownGiftRecord, shownOrder, showOrder } from "../../shown-gifts.ts";
import { giftFailures, sendGift } from "../gift-sending.ts";
import { endpoint } from "./endpoint.ts";

const base = "/live/api/gift";

const sendDescription =
  "Send a `requestId` with every gift. Then the same request may be sent again after any answer, after none and after a " +
  "503: it is the same order and one charge. A 503 with `data.orderId` may have been accepted: ask gift/order for that " +
  "order, or send the same request again. A 503 without `data` did not accept this request; an earlier request with the " +
  "same `requestId` may have been accepted: send the same request again. Without a `requestId` a repeat is another gift " +
  "and another charge: after a 503 with an order id ask gift/order for it, and after no answer look in gift/records. " +
  "A gift that is answered 429 (too many gifts of one user in a second) is not accepted.";

/** The catalogue may be larger than an answer between services, so it is read in pages. */
export async function wholeCatalogue(ctx: Parameters<typeof call>[0]) {
  const gifts: CatalogueGift[] = [];
  for (let after: number | null | undefined; after !== null; ) {
    const { list, nextAfter } = await call(ctx, "gift.catalogue", after === undefined ? {} : { after });
    gifts.push(...list);
    after = nextAfter;
  }
  return gifts;
}

export const giftEndpoints = [
  endpoint({
    path: `${base}/listGift`,
    summary: "The gifts on sale",
    access: "login",
    params: {},
    result: z.array(shownGift),
    run: wholeCatalogue,
  }),

  endpoint({
    path: `${base}/send`,
    summary: "Sends a gift: accepted durably when this answers, settled soon after (gift/order, IM 5556 and 5557)",
    description: sendDescription,
    access: "login",
    params: fromHttp(giftActions.send, "userId", "orderId", "isBanned", "traceparent"),
    result: z.object({ orderId: z.string() }),
    unsure: z.object({ orderId: z.string() }),
    failures: giftFailures,
    checksBanItself: true,
    run: (ctx, params, { userId }) => sendGift(ctx, { ...params, userId }),
  }),

  endpoint({
    path: `${base}/order`,
    summary: "The state of a gift that the caller sent",
    description:
      "An order from a 503 of gift/send is unknown (501) until it is settled or the repeated request is answered. Ask " +
      "for a minute before you treat it as not accepted, longer while the service answers 503.",
    access: "login",
    params: fromHttp(giftActions.order, "userId"),
    result: shownOrder,
    failures: ["giftOrderUnknown"],
    run: async (ctx, params, { userId, language }) =>
      showOrder(await call(ctx, "gift.order", { userId, orderId: params.orderId }), language),
  }),

  endpoint({
    path: `${base}/records`,
    summary: "Gifts that the caller sent or received, newest first",
    access: "login",
    params: fromHttp(giftActions.records, "userId"),
    result: pageOf(shownGiftRecord),
    async run(ctx, params, { userId, language }) {
      const { list, nextCursor } = await call(ctx, "gift.records", { ...params, userId });
      return { list: list.map((record) => showOrder(record, language)), nextCursor };
    },
  }),
];
