import { fail } from "../../../broker/failure.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { type Proposal, proposalById } from "./proposal-store.ts";

/** Fails: proposalUnknown. */
export async function requireProposal(db: Queryable, id: string): Promise<Proposal> {
  const proposal = await proposalById(db, id);
  if (!proposal) throw fail("proposalUnknown", { proposalId: `s${id}` });
  return proposal;
}

/**
 * A row that is committed for certain. A node of a database cluster may show a commit of another one a little later: that
 * is no refusal, after which a person would ask for the same move under another id. Fails: unavailable.
 */
export async function writtenProposal(db: Queryable, id: string): Promise<Proposal> {
  const proposal = await proposalById(db, id);
  if (!proposal) throw fail("unavailable", { proposalId: `s${id}` });
  return proposal;
}
