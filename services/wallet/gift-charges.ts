import { fail, isUnavailable } from "../../broker/failure.ts";
import type { FaultRate } from "../../mixins/user-rate.ts";
import { sharePoints, wholeCoins } from "./points.ts";
import type { Command, Outcome } from "./posting.ts";
import { allOutcomes, submitApart } from "./submit-apart.ts";
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

interface Charges {
  readonly gifts: readonly GiftCharge[];
  /** See `wallet.consumeForSendGift`. */
  readonly apart?: true | undefined;
}

/** Of each gift its outcome, or why it has none. Without `apart` either all have an outcome or this rejects. */
async function submit(
  writer: LedgerCommands,
  { gifts, apart }: Charges,
): Promise<readonly PromiseSettledResult<Outcome>[]> {
  const commands = gifts.map(toCommand);
  if (!apart) return (await writer.submitAll(commands)).map((value) => ({ status: "fulfilled", value }));
  const results = await submitApart(writer, commands);
  // Where there is no outcome at all the caller gets the reason.
  if (results.every(({ status }) => status === "rejected")) allOutcomes(results);
  for (const result of results) if (result.status === "rejected" && !isUnavailable(result.reason)) throw result.reason;
  return results;
}

/**
 * Charges gifts; every outcome is committed when it resolves. Gifts that fail for too few coins, each a new row of the
 * ledger, are counted for their senders. Fails: unavailable, where the queue is full or the
 * database is away; with `apart` the senders of whom that holds are named instead, and the others' gifts are charged. Gifts
 * that were committed by then get the same outcome when they are charged again.
 */
export async function settleGifts(
  writer: LedgerCommands,
  failed: FaultRate,
  charges: Charges,
): Promise<{ outcomes: GiftOutcome[]; away?: string[] }> {
  const { gifts } = charges;
  if (!writer.hasRoomFor(gifts.length)) throw fail("unavailable", { waiting: writer.waiting });
  const results = await submit(writer, charges);
  const away = new Set<string>();
  const outcomes = results.flatMap((result, index): GiftOutcome[] => {
    const { orderId, senderId } = gifts[index] as GiftCharge;
    if (result.status === "rejected") {
      away.add(senderId);
      return [];
    }
    const outcome = result.value;
    const { balanceAfter, server } = outcome;
    const also = {
      ...(isNew(outcome) ? {} : { repeated: true as const }),
      ...(server === undefined ? {} : { server }),
    };
    if (outcome.status === "done") {
      const { incomePoints } = outcome;
      return [{ orderId, status: "succeeded", income: wholeCoins(incomePoints), incomePoints, balanceAfter, ...also }];
    }
    if (!outcome.repeated && outcome.reason === "balanceShort") failed.add(senderId, Date.now());
    return [{ orderId, status: "failed", reason: outcome.reason, income: 0, incomePoints: 0, balanceAfter, ...also }];
  });
  return { outcomes, ...(away.size > 0 && { away: [...away] }) };
}
