import { z } from "zod";
import { type FailureName, failures, isFailureName } from "../config/errors.ts";
import type { Language } from "../mixins/http/wording.ts";
import type { GiftOrder } from "./gift/gift.contract.ts";
import { shownUserId } from "./http-fields.ts";

/** Gifts and their orders in the answers of the gateways. */

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

export const shownOrder = z.object({
  orderId: z.string(),
  status: z.enum(["accepted", "succeeded", "failed"]),
  reason: z.string().optional().meta({ description: "Why it failed, in the caller's language." }),
  reasonCode: z.int().optional().meta({ description: "The business code of the reason." }),
  giftId: z.int(),
  count: z.int(),
  price: z.int().meta({ description: "The price of one when the gift was accepted, coins." }),
  receiverId: shownUserId,
  roomId: z.int(),
  time: z.string(),
});

export const shownGiftRecord = shownOrder.extend({ id: z.string(), senderId: shownUserId });

/** An order for operators. */
export const shownFoundGift = shownGiftRecord.extend({
  id: z.string().optional().meta({ description: "The id of its record; missing until the gift is settled." }),
});

/**
 * The reason of a failed order, for people and for programs: the failure's text in the caller's language and its code.
 * An unknown name (of a newer node) is shown as "gift could not be sent".
 */
function reasonShown(name: string, language: Language): { reason: string; reasonCode: number } {
  const known: FailureName = isFailureName(name) ? name : "giftNotSent";
  return { reason: failures[known][language], reasonCode: failures[known].code };
}

/** An order for clients: the name of its failure becomes a text and a code. */
export function showOrder<Order extends GiftOrder>(order: Order, language: Language) {
  const { reason, ...rest } = order;
  return reason === undefined ? rest : { ...rest, ...reasonShown(reason, language) };
}
