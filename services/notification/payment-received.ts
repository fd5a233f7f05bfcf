import type { DurableEvents } from "../contracts.ts";
import { bizCodes } from "../im-frames.ts";

/** What the payer is told once the coins are in the account. The id is the order's: a repeat is the same notice. */
export function paymentReceivedNotification({
  userId,
  orderId,
  coins,
  balanceAfter,
}: DurableEvents["wallet.credited"]) {
  return {
    userId,
    msgId: `paid-${orderId}`,
    bizCode: bizCodes.payment,
    data: { orderId, coins, balance: balanceAfter, msg: `充值成功，到账 ${coins} 金币` },
  };
}
