import type { LedgerServer, LedgerServers } from "../buckets/ledger-servers.ts";
import { addTotals, type IncomePosting, type IncomeTotals, noIncome } from "./income-posting.ts";
import { findPosting, readIncome } from "./income-store.ts";

/**
 * What servers other than the one that decides have of an anchor's income, and the earlier posting of a business id. Read
 * it before the transaction: earnings there only grow, payouts there are final, and holds there are at most released. Two
 * calls at the same time with one id, for anchors of different servers, may both be carried out: the auditor names them
 * (`paidTwice`).
 */
export async function incomeElsewhere(
  servers: LedgerServers,
  here: LedgerServer,
  anchorId: string,
  bizId: string,
): Promise<{ totals: IncomeTotals; prior: IncomePosting | undefined }> {
  const others = servers.all.filter((server) => server !== here);
  if (others.length === 0) return { totals: noIncome, prior: undefined };
  const [totals, priors] = await Promise.all([
    Promise.all(others.map(({ view }) => readIncome(view.mysql, anchorId))),
    Promise.all(others.map(({ view }) => findPosting(view.mysql, bizId))),
  ]);
  return { totals: addTotals(totals), prior: priors.find((prior) => prior !== undefined) };
}
