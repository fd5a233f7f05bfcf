import { fail } from "../../broker/failure.ts";
import { config } from "../../config/config.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import { anchorShare, type Command } from "./posting.ts";
import type { GiftCharge, GiftOutcome } from "./wallet.contract.ts";

/** A gift as a command of the ledger; the anchor's share is fixed at this moment. */
function toCommand(gift: GiftCharge): Command {
  const amount = gift.price * gift.count;
  const income = anchorShare(amount, config().ANCHOR_SHARE_PERCENT);
  return { kind: "gift", bizId: gift.orderId, userId: gift.senderId, receiverId: gift.receiverId, amount, income };
}

/**
 * Settles gifts; when it resolves every outcome is committed. Rejects with `unavailable` where the mailboxes are full
 * or the database is away: gifts that were committed by then answer the same when they come again.
 */
export async function settleGifts(writer: LedgerWriter, gifts: readonly GiftCharge[]): Promise<GiftOutcome[]> {
  if (!writer.hasRoomFor(gifts.length)) throw fail("unavailable", { waiting: writer.waiting });
  const outcomes = await Promise.all(gifts.map((gift) => writer.submit(toCommand(gift))));
  return outcomes.map((outcome, index) => {
    const { orderId } = gifts[index] as GiftCharge;
    const { balanceAfter } = outcome;
    if (outcome.status === "done") return { orderId, status: "succeeded", income: outcome.income, balanceAfter };
    return { orderId, status: "failed", reason: outcome.reason, income: 0, balanceAfter };
  });
}
