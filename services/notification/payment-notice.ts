import { eventDataOf } from "../durable-event.ts";
import { isUserId } from "../fields.ts";
import { bizCodes } from "../im-frames.ts";
import type { WalletEvents } from "../wallet/wallet.contract.ts";

type Credited = WalletEvents["wallet.credited"];

/**
 * Checks an event `wallet.credited`.
 * @throws Error naming the invalid field: the event goes to the dead letters.
 */
export function parseCredited(message: unknown): Credited {
  const credited = eventDataOf(message) as unknown as Credited;
  const { userId, orderId, coins, balanceAfter } = credited;
  if (typeof orderId !== "string" || orderId === "" || orderId.length > 64) throw new Error("no order id");
  if (typeof userId !== "string" || !isUserId(userId)) throw new Error(`no user id in order ${orderId}`);
  if (!Number.isSafeInteger(coins) || !Number.isSafeInteger(balanceAfter))
    throw new Error(`no coin amounts in order ${orderId}`);
  return credited;
}

/** What the payer is told once the coins are in the account. The id is the order's: a repeat is the same notice. */
export function paymentNotice(credited: Credited) {
  const { userId, orderId, coins, balanceAfter } = credited;
  return {
    userId,
    msgId: `paid-${orderId}`,
    bizCode: bizCodes.payment,
    data: { orderId, coins, balance: balanceAfter, msg: `充值成功，到账 ${coins} 金币` },
  };
}
