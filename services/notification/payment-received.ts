import type { DurableEvents } from "../contracts.ts";
import { bizCodes } from "../im-frames.ts";

/**
 * The notification to the payer once the coins are in the account. The id is the order's, so a repeat is the same
 * notification.
 */
export function paymentReceivedNotification({
  userId,
  orderId,
  externalOrderId,
  coins,
  balanceAfter,
}: DurableEvents["wallet.credited"]) {
  return {
    userId,
    msgId: `paid-${orderId}`,
    bizCode: bizCodes.payment,
    data: {
      orderId,
      ...(externalOrderId !== undefined && { externalOrderId }),
      coins,
      balance: balanceAfter,
      msg: `充值成功，到账 ${coins} 金币`,
    },
  };
}
