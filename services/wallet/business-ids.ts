import { platformBizId } from "./platform-orders.contract.ts";
import type { Command } from "./posting.ts";

/** The business ids that the wallet makes. They are unique in their ledger and link its rows to payment orders. */

/** The id of a refund: of the row that takes the coins back, and of the debt for spent coins. */
export const refundId = (orderId: string): string => `refund:${orderId}`;

/** The id of the payment of a debt by a recharge, credit or adjustment. */
export const debtPaymentId = (bizId: string): string => `debt:${bizId}`;

/** The id of the coins, and of the debt, that a restore wrote for a gift whose coins the books no longer knew. */
export const restoredCoinsId = (giftId: string): string => `restore:${giftId}`;

/** The platform's order of a business id of a credit, or of a debt that it paid off; `undefined` of any other. */
export function externalOrderOf(bizId: string): string | undefined {
  const own = bizId.startsWith("debt:") ? bizId.slice("debt:".length) : bizId;
  const prefix = platformBizId("credit", "");
  return own.startsWith(prefix) ? own.slice(prefix.length) : undefined;
}

/** Whether a row is of an order of the platform, or of a debt that one paid off. */
export const isOfPlatform = (bizId: string): boolean => /^(debt:)?platform:/.test(bizId);

/** The id of the posting that holds back an anchor's share of a refunded order's gifts. */
export const holdId = (orderId: string, anchorId: string): string => `hold:${orderId}:${anchorId}`;

/** The id of the posting that releases a hold. */
export const releaseHoldId = (orderId: string, anchorId: string): string => `release:${orderId}:${anchorId}`;

/** The id of the posting that holds back any part of an anchor's free income, under an id that staff gives. */
export const freeHoldId = (holdId: string): string => `free-hold:${holdId}`;

/** The id of the posting that releases such a hold. */
export const freeReleaseId = (holdId: string): string => `free-release:${holdId}`;

/** The id of the posting of what an anchor earned in a round of the roll-up; each round has a random id. */
export const giftsPostingId = (roundId: string, anchorId: string): string => `gifts:${roundId}:${anchorId}`;

/** The id of the posting of a payout. */
export const payoutPostingId = (payoutId: string): string => `payout:${payoutId}`;

/** What the ids of all postings of moves of buckets begin with: those by which accounts leave a server, and arrive at one. */
export const bucketPrefixes = ["bucket-out:", "bucket-in:"] as const;
const [bucketOut, bucketIn] = bucketPrefixes;

/** What comes before the user in the ids of the postings by which a move of a bucket takes accounts from a server. */
export const bucketOutPrefix = (moveId: number): string => `${bucketOut}${moveId}:`;

/** The same of those by which they arrive at the other one. */
export const bucketInPrefix = (moveId: number): string => `${bucketIn}${moveId}:`;

/** Whether a posting only moves a balance or a debt from one server to another. */
export const isBucketMove = (bizId: string): boolean => /^bucket-(in|out):/.test(bizId);

/** The payment order of the business id of a recharge, a refund or the payment of a debt. */
export const payOrderOf = (bizId: string): string => bizId.replace(/^(refund|debt):/, "");

/** The business ids of the trades that commands may have written before. */
export function tradeIdsOf(commands: readonly Command[]): string[] {
  return [...new Set(commands.flatMap((command) => ("bizId" in command ? [command.bizId] : [])))];
}

/** The business ids of their debts, and of payments of debts. */
export function debtIdsOf(commands: readonly Command[]): string[] {
  return [
    ...new Set(
      commands.flatMap((command) => {
        if (command.kind === "refund") return [command.bizId];
        const pays = command.kind === "recharge" || command.kind === "credit" || command.kind === "adjust";
        return pays ? [debtPaymentId(command.bizId)] : [];
      }),
    ),
  ];
}
