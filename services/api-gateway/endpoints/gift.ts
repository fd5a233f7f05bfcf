import { randomUUID } from "node:crypto";
import { z } from "zod";
import { failureName, isUnavailable, mayHaveHappened } from "../../../broker/failure.ts";
import { call } from "../../contracts.ts";
import { type CatalogueGift, type GiftOrder, giftActions } from "../../gift/gift.contract.ts";
import { orderIdOf } from "../../gift-order-id.ts";
import { failShowing } from "../answer.ts";
import { type Language, reasonShown } from "../wording.ts";
import { endpoint } from "./endpoint.ts";
import { fromHttp, pageOf, shownUserId } from "./fields.ts";

const base = "/live/api/gift";

const sendDescription =
  "Send a `requestId` with every gift. Then any answer, none or a 503, may be followed by the same request again: it is " +
  "the same order and one charge. A 503 with `data.orderId` may have been accepted all the same: ask gift/order for that " +
  "order, or send the same request again. A 503 without `data` says that this request did not accept it, and nothing of " +
  "an earlier one with its `requestId`: send the same request again. Without a `requestId` a repeat is " +
  "another gift and another charge: after a 503 with an order id there is nothing to do but to ask gift/order for it, and " +
  "after no answer at all to look at gift/records.";

export const shownGift = z.object({
  giftId: z.int(),
  price: z.int(),
  giftName: z.string(),
  status: z.int(),
  coverImgUrl: z.string(),
  svgaUrl: z.string(),
  createTime: z.string(),
  updateTime: z.string(),
});

const shownOrder = z.object({
  orderId: z.string(),
  status: z.enum(["accepted", "succeeded", "failed"]),
  reason: z.string().optional().meta({ description: "Why it failed, in the caller's language." }),
  reasonCode: z.int().optional().meta({ description: "The business code of the reason." }),
  giftId: z.int(),
  count: z.int(),
  price: z.int().meta({ description: "Coins for one, as they were when the gift was accepted." }),
  receiverId: shownUserId,
  roomId: z.int(),
  time: z.string(),
});

const shownGiftRecord = shownOrder.extend({ id: z.string(), senderId: shownUserId });

/** Any order as operators see it. */
export const shownFoundGift = shownGiftRecord.extend({
  id: z.string().optional().meta({ description: "Of its record; none while the gift is on its way." }),
});

/** An order as it is shown: the name of its failure becomes words and a code. */
export function showOrder<Order extends GiftOrder>(order: Order, language: Language) {
  const { reason, ...rest } = order;
  return reason === undefined ? rest : { ...rest, ...reasonShown(reason, language) };
}

/**
 * Whether the order of a gift that was not answered with 200 may be accepted. A repeat's may be by its first request, so
 * with a request id only an answer of the gift service itself, after it has looked for the order, is a definite no.
 */
function mayBeAccepted(error: unknown, requestId: string | undefined): boolean {
  const neverLooked = isUnavailable(error) && failureName(error) === undefined;
  return mayHaveHappened(error) || (requestId !== undefined && neverLooked);
}

/** The catalogue may be larger than an answer between services: it is asked for in pages. */
async function wholeCatalogue(ctx: Parameters<typeof call>[0]) {
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
    summary: "The gifts on the shelf",
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
    params: fromHttp(giftActions.send, "userId", "orderId"),
    result: z.object({ orderId: z.string() }),
    unsure: z.object({ orderId: z.string() }),
    failures: [
      "giftUnknown",
      "giftNotSent",
      "giftToSelf",
      "roomNotLive",
      "balanceShort",
      "idempotencyConflict",
      "accountUnusable",
    ],
    async run(ctx, params, { userId }) {
      const orderId = params.requestId === undefined ? randomUUID() : orderIdOf(userId, params.requestId);
      const own = params.requestId === undefined ? { orderId } : {};
      try {
        return await call(ctx, "gift.send", { ...params, ...own, userId });
      } catch (error) {
        throw mayBeAccepted(error, params.requestId) ? failShowing("unavailable", { orderId }) : error;
      }
    },
  }),

  endpoint({
    path: `${base}/order`,
    summary: "What became of a gift that the caller sent",
    description:
      "An order of a 503 of gift/send is unknown (501) until it is settled or the request is answered again: ask for " +
      "a minute before taking it for one that was not accepted, longer where the service goes on answering 503.",
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
