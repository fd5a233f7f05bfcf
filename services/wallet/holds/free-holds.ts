import { fail } from "../../../broker/failure.ts";
import { isDuplicateKey, type Queryable } from "../../../mixins/mysql/database.ts";
import type { LedgerServers } from "../buckets/ledger-servers.ts";
import { freeHoldId, freeReleaseId } from "../business-ids.ts";
import { incomeElsewhere } from "../income/income-elsewhere.ts";
import { addTotals, decideFreeHold, type FreeHoldDecision, type IncomePosting } from "../income/income-posting.ts";
import { ensureTotals, findPosting, insertPostings, lockTotals } from "../income/income-store.ts";
import type { FreeHold } from "../income.contract.ts";
import { isPoints } from "../points.ts";

/** Any part of an anchor's free income, held back and released by staff under an id that staff gives. */

/** The next attempts are for an id that another transaction wrote between our read and our write. */
const maxAttempts = 3;

/** The hold of an id; `null` where there is none, or it was refused. */
export async function findFreeHold(db: Queryable, holdId: string): Promise<FreeHold | null> {
  const hold = await findPosting(db, freeHoldId(holdId));
  if (!hold?.valid) return null;
  const released = await findPosting(db, freeReleaseId(holdId));
  const { anchorId: userId, points, time } = hold;
  return {
    ...{ holdId, userId, points: -points, time: time.toISOString() },
    state: released ? "released" : "held",
    releasedTime: released?.time.toISOString() ?? null,
  };
}

/** The same on any server. */
export async function freeHoldOn(servers: LedgerServers, holdId: string): Promise<FreeHold | null> {
  return (await servers.first(({ view }) => findFreeHold(view.mysql, holdId))) ?? null;
}

async function requireFreeHold(db: Queryable, holdId: string): Promise<FreeHold> {
  const hold = await findFreeHold(db, holdId);
  if (!hold) throw fail("holdState", { holdId });
  return hold;
}

async function requireFreeHoldOn(servers: LedgerServers, holdId: string): Promise<FreeHold> {
  const hold = await freeHoldOn(servers, holdId);
  if (!hold) throw fail("holdState", { holdId });
  return hold;
}

interface NewFreeHold {
  readonly userId: string;
  readonly points: number;
  readonly holdId: string;
  readonly reason: string;
}

/**
 * Holds back a part of an anchor's free income, once for each `holdId`; committed when it resolves. Only rolled-up income
 * is free. An id keeps its first outcome for ever: a repeat changes nothing, also after the release, and a call that waited
 * for the lock meanwhile holds nothing that was refused. Fails: invalidParam; balanceShort, where less was free;
 * idempotencyConflict, where the id has another anchor or amount.
 */
export async function holdFree(servers: LedgerServers, hold: NewFreeHold): Promise<FreeHold> {
  const { userId, points, holdId } = hold;
  if (!isPoints(points)) throw fail("invalidParam", { points });
  const answer = await triedToHold(servers, hold);
  // The refusal's row is committed.
  if (typeof answer === "string") throw fail(answer, { userId, holdId });
  return answer;
}

async function triedToHold(
  servers: LedgerServers,
  { userId, points, holdId, reason }: NewFreeHold,
  attempt = 1,
): Promise<FreeHold | Exclude<FreeHoldDecision["answer"], "held">> {
  const bizId = freeHoldId(holdId);
  try {
    return await servers.atServerOf(userId, async (here, requireHere) => {
      const elsewhere = await incomeElsewhere(servers, here, userId, bizId);
      const { mysql, seals } = here.view;
      // Read before the commit: a node of a database cluster may show a commit of another one a little later.
      return seals.transaction(mysql, async (tx, sealing) => {
        await requireHere(tx);
        if (servers.isSeveral) await ensureTotals(tx, userId);
        const totals = addTotals([await lockTotals(tx, userId), elsewhere.totals]);
        const prior = (await findPosting(tx, bizId)) ?? elsewhere.prior;
        const decision = decideFreeHold({ userId, points, bizId, reason }, totals, prior);
        if (decision.posting) await insertPostings(tx, [decision.posting], sealing);
        if (decision.answer !== "held") return decision.answer;
        return (await findFreeHold(tx, holdId)) ?? requireFreeHoldOn(servers, holdId);
      });
    });
  } catch (error) {
    if (isDuplicateKey(error) && attempt < maxAttempts)
      return triedToHold(servers, { userId, points, holdId, reason }, attempt + 1);
    throw error;
  }
}

/**
 * Releases such a hold for ever, on the server that has it; committed when it resolves. A repeat changes nothing. Fails:
 * holdState, where there is no hold of this id.
 */
export async function releaseFree(
  servers: LedgerServers,
  { holdId, reason }: { holdId: string; reason: string },
  attempt = 1,
): Promise<FreeHold> {
  const found = await servers.first(async (server) => {
    const hold = await findFreeHold(server.view.mysql, holdId);
    return hold && { hold, server };
  });
  if (!found) throw fail("holdState", { holdId });
  const { userId, points } = found.hold;
  const { mysql, seals } = found.server.view;
  const posting: IncomePosting = {
    ...{ kind: "release", anchorId: userId, points, valid: true, bizId: freeReleaseId(holdId) },
    ...{ orderId: null, reason },
  };
  try {
    return await seals.transaction(mysql, async (tx, sealing) => {
      await lockTotals(tx, userId);
      if (!(await findPosting(tx, posting.bizId))) await insertPostings(tx, [posting], sealing);
      return requireFreeHold(tx, holdId);
    });
  } catch (error) {
    if (isDuplicateKey(error) && attempt < maxAttempts) return releaseFree(servers, { holdId, reason }, attempt + 1);
    throw error;
  }
}
