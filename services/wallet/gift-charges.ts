import { fail } from "../../broker/failure.ts";
import type { FaultRate } from "../../mixins/user-rate.ts";
import { sharePoints, wholeCoins } from "./points.ts";
import type { Command, Outcome } from "./posting.ts";
import type { GiftCharge, GiftOutcome } from "./wallet.contract.ts";
import type { LedgerCommands } from "./writer-ports.ts";

/** A gift as a command of the ledger; the anchor's share is the one that the gift was accepted with. */
function toCommand({ orderId, senderId, receiverId, price, count, sharePercent }: GiftCharge): Command {
  const amount = price * count;
  const incomePoints = sharePoints(amount, sharePercent);
  return { kind: "gift", bizId: orderId, userId: senderId, receiverId, amount, incomePoints };
}

/** Whether the ledger has a row of this outcome that was not there before. What is invalid in itself has no row. */
const isNew = (outcome: Outcome): boolean =>
  !outcome.repeated && (outcome.status === "done" || outcome.reason === "balanceShort");

/**
 * Charges gifts; every outcome is committed when it resolves. Gifts that fail for too few coins, each a new row of the
 * ledger, are counted for their senders. Fails: unavailable, where the queue is full or the
 * database is away. Gifts that were committed by then get the same outcome when they are charged again.
 */
export async function settleGifts(
  writer: LedgerCommands,
  failed: FaultRate,
  gifts: readonly GiftCharge[],
): Promise<GiftOutcome[]> {
  if (!writer.hasRoomFor(gifts.length)) throw fail("unavailable", { waiting: writer.waiting });
  const outcomes = await writer.submitAll(gifts.map(toCommand));
  return outcomes.map((outcome, index) => {
    const { orderId, senderId } = gifts[index] as GiftCharge;
    const { balanceAfter, server } = outcome;
    const also = {
      ...(isNew(outcome) ? {} : { repeated: true as const }),
      ...(server === undefined ? {} : { server }),
    };
    if (outcome.status === "done") {
      const { incomePoints } = outcome;
      return { orderId, status: "succeeded", income: wholeCoins(incomePoints), incomePoints, balanceAfter, ...also };
    }
    if (!outcome.repeated && outcome.reason === "balanceShort") failed.add(senderId, Date.now());
    return { orderId, status: "failed", reason: outcome.reason, income: 0, incomePoints: 0, balanceAfter, ...also };
  });
}
