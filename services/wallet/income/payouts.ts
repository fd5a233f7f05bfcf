import { fail } from "../../../broker/failure.ts";
import { isDuplicateKey } from "../../../mixins/mysql/database.ts";
import type { LedgerServers } from "../buckets/ledger-servers.ts";
import { payoutPostingId } from "../business-ids.ts";
import type { Income, PaidOut, Payout } from "../income.contract.ts";
import { closedStatus } from "../ledger.ts";
import { isPoints, wholeCoins } from "../points.ts";
import { readBalances } from "../wallet-store.ts";
import { incomeElsewhere } from "./income-elsewhere.ts";
import { addTotals, decidePayout, freePoints, type PayoutDecision, type PayoutOrder } from "./income-posting.ts";
import { ensureTotals, findPosting, insertPostings, lockTotals, readIncome } from "./income-store.ts";

/** The next attempts are for a payout id that another transaction wrote between our read and our write. */
const maxAttempts = 3;

/**
 * Takes a payout from the anchor's free income; committed when it resolves. Only rolled-up income is free: the latest
 * gifts may be missing (see `settledUpTo` of `incomeOf`). A payout id keeps its first outcome for ever, also a
 * rejection for lack of income. Fails: invalidParam, balanceShort, idempotencyConflict; accountUnusable, where the anchor
 * is erased; unavailable, where the payout may have happened: repeat it with the same id to learn the outcome.
 */
export async function payOut(servers: LedgerServers, payout: Payout): Promise<PaidOut> {
  const { userId, points, payoutId } = payout;
  if (!isPoints(points)) throw fail("invalidParam", { points });
  const bizId = payoutPostingId(payoutId);
  const answer = await postPayout(servers, { ...payout, bizId });
  if (answer !== "paid") throw fail(answer, { userId, payoutId });
  const posting = await servers.first(({ view }) => findPosting(view.mysql, bizId));
  // A node of a database cluster may show a commit of another one a little later; a repeat moves nothing.
  if (!posting) throw fail("unavailable", { payoutId });
  return { userId, points, payoutId, time: posting.time.toISOString() };
}

/**
 * As `payOut`, under a business id of any kind; a payout that is refused is an answer. It is decided on the anchor's own
 * server, under the lock of her row there. What she earned on other servers was read before, and only grows; what is held back
 * there is at most released meanwhile.
 */
export async function postPayout(
  servers: LedgerServers,
  payout: PayoutOrder,
  attempt = 1,
): Promise<PayoutDecision["answer"]> {
  try {
    return await servers.atServerOf(payout.userId, async (here, requireHere) => {
      const elsewhere = await incomeElsewhere(servers, here, payout.userId, payout.bizId);
      const { mysql, seals } = here.view;
      return seals.transaction(mysql, async (tx, sealing) => {
        await requireHere(tx);
        if (servers.isSeveral) await ensureTotals(tx, payout.userId);
        const totals = addTotals([await lockTotals(tx, payout.userId), elsewhere.totals]);
        const prior = (await findPosting(tx, payout.bizId)) ?? elsewhere.prior;
        const account = (await readBalances(tx, [payout.userId])).get(payout.userId);
        const { answer, posting } = decidePayout(payout, totals, prior, account?.status === closedStatus);
        if (posting) await insertPostings(tx, [posting], sealing);
        return answer;
      });
    });
  } catch (error) {
    if (isDuplicateKey(error) && attempt < maxAttempts) return postPayout(servers, payout, attempt + 1);
    throw error;
  }
}

/** An anchor's income as it is rolled up, of all servers together; the fields of whole coins are the points rounded down. */
export async function incomeOf(servers: LedgerServers, userId: string): Promise<Income> {
  const rows = await servers.each((db) => readIncome(db, userId));
  const totals = addTotals(rows);
  const settledUpTo = new Date(Math.min(...rows.map((row) => row.settledUpTo.getTime())));
  const { earnedPoints, heldBackPoints, paidOutPoints } = totals;
  const incomePoints = freePoints(totals);
  return {
    ...{ income: wholeCoins(incomePoints), incomePoints },
    ...{ earned: wholeCoins(earnedPoints), earnedPoints },
    ...{ heldBack: wholeCoins(heldBackPoints), heldBackPoints },
    ...{ paidOut: wholeCoins(paidOutPoints), paidOutPoints },
    settledUpTo: settledUpTo.toISOString(),
  };
}
