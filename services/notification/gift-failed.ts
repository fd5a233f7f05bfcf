import { failures, isFailureName } from "../../config/errors.ts";
import type { SettledGift } from "../gift/gift.contract.ts";
import { bizCodes } from "../im-frames.ts";

/**
 * The notifications to the senders of failed gifts. The message id is derived from the order id, so a repeat is the
 * same message.
 */
export function giftFailedNotifications(gifts: readonly SettledGift[]) {
  return gifts
    .filter(({ status }) => status === "failed")
    .map(({ orderId, senderId, reason }) => {
      const failure = failures[isFailureName(reason) ? reason : "giftNotSent"];
      const data = { orderId, msg: failure.zh, code: failure.code };
      return { userId: senderId, msgId: `gift-failed-${orderId}`, bizCode: bizCodes.giftFailed, data };
    });
}
