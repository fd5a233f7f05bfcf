/** The business ids that the wallet makes: unique in their ledgers, and what links their rows to payment orders. */

/** Of the row that takes a refunded order's coins back, and of the debt for those that were spent. */
export const refundId = (orderId: string): string => `refund:${orderId}`;

/** Of the row that a recharge pays a debt off with. */
export const debtPaymentId = (rechargeOrderId: string): string => `debt:${rechargeOrderId}`;

/** Of the posting that holds an anchor's share of a refunded order's gifts back. */
export const holdId = (orderId: string, anchorId: string): string => `hold:${orderId}:${anchorId}`;

/** Of the posting that lets a share that was held back go again. */
export const releaseId = (orderId: string, anchorId: string): string => `release:${orderId}:${anchorId}`;

/** Of the posting of what an anchor earned in a round of the roll-up; each round has a random id. */
export const giftsPostingId = (roundId: string, anchorId: string): string => `gifts:${roundId}:${anchorId}`;

/** Of the posting that pays an anchor out. */
export const payoutPostingId = (payoutId: string): string => `payout:${payoutId}`;

/** The payment order that a recharge, a refund, or a recharge's payment of a debt is about. */
export const payOrderOf = (bizId: string): string => bizId.replace(/^(refund|debt):/, "");
