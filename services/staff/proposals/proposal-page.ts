import type { Context } from "moleculer";
import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { call } from "../../contracts.ts";
import type { Proposal as PlatformProposal } from "../../platform/money.contract.ts";
import type { Decider } from "../deciders.ts";
import type { ProposalView } from "../proposals.contract.ts";
import { type Proposal, readProposals } from "./proposal-store.ts";

/** The list of proposals: those of staff and those of API keys in one order. */

/** Who asks. */
interface Reader extends Pick<Decider, "near"> {
  /** Whether the person decides on proposals, of others. */
  readonly decides: boolean;
}

function viewOf(proposal: Proposal, { near, decides }: Reader): ProposalView {
  const { id, instruction, userId, subject, state, refusal, reason } = proposal;
  const { createTime, expiresTime, decidedBy, decidedTime, decisionReason } = proposal;
  return {
    ...{ proposalId: `s${id}`, kind: instruction.kind, userId, subject, reason, proposedBy: proposal.person },
    coins: instruction.kind === "adjust" ? instruction.coins : proposal.coins,
    points: "points" in instruction ? instruction.points : null,
    anchorIds: "anchorIds" in instruction ? instruction.anchorIds : null,
    giveUp: "giveUp" in instruction ? instruction.giveUp : null,
    ...{ createTime: createTime.toISOString(), expiresTime: expiresTime?.toISOString() ?? null },
    ...{ state, refusal, decidedBy, decidedTime: decidedTime?.toISOString() ?? null, decisionReason },
    mayDecide: decides && state === "open" && !near.has(`staff:${proposal.person}`),
  };
}

/** The names that staff's proposals have for the states of the platform's orders. */
const stateNames = { proposed: "open", pending: "approved" } as const;
/** The name that the list of proposals has for the state of an adjustment by an API key. */
export const stateOfOrder = (state: PlatformProposal["state"]): ProposalView["state"] =>
  state === "proposed" || state === "pending" ? stateNames[state] : state;

function viewOfPlatform(
  { proposalId, writeId, keyId, keyCreatedBy, ...proposal }: PlatformProposal,
  { near, decides }: Reader,
): ProposalView {
  const { userId, coins, reason, refusal, createTime, expiresTime, decidedBy, decidedTime, decisionReason } = proposal;
  const state = stateOfOrder(proposal.state);
  return {
    ...{ proposalId: `p${proposalId}`, kind: "platformAdjust", userId, subject: writeId, coins, reason },
    ...{ points: null, anchorIds: null, giveUp: null, proposedBy: `key:${keyId}`, createTime, expiresTime },
    ...{ state, refusal, decidedBy: decidedBy?.replace(/^staff:/, "") ?? null, decidedTime, decisionReason },
    mayDecide: decides && state === "open" && !(keyCreatedBy !== null && near.has(keyCreatedBy)),
  };
}

interface PageParams {
  readonly open: boolean;
  readonly subject?: string;
  /** `<id>-<id>`: the last proposals of both that the pages before have; without an id, none yet. */
  readonly cursor?: string;
  readonly limit: number;
}

/**
 * Both lists as one. Each keeps its own order, by id, by which pages go on: the times of rows that were made at once may
 * be in another order than their ids.
 */
function newestFirst(own: readonly ProposalView[], keys: readonly ProposalView[]): ProposalView[] {
  const all: ProposalView[] = [];
  const waiting = [...keys];
  for (const one of own) {
    while (waiting[0] && waiting[0].createTime > one.createTime) all.push(waiting.shift() as ProposalView);
    all.push(one);
  }
  return [...all, ...waiting];
}

/** A page, newest first. A proposal that is made meanwhile is not in later pages; none is in two. */
export async function proposalPage(
  calling: Pick<Context, "call">,
  db: Queryable,
  { open, subject, cursor = "-", limit }: PageParams,
  reader: Reader,
): Promise<{ list: ProposalView[]; nextCursor: string | null }> {
  const [own = "", keys = ""] = cursor === "" ? [] : cursor.split("-");
  const ownPage = await readProposals(db, {
    ...{
      open,
      limit: limit + 1,
      ...(subject === undefined ? {} : { subject }),
      ...(own === "" ? {} : { before: own }),
    },
  });
  // A page of one more where the action allows it; else its cursor says whether there are more.
  const keysPage =
    subject === undefined
      ? await call(calling, "platform.proposals", {
          ...{ open, limit: Math.min(limit + 1, limits.http.pageSizeMax), ...(keys === "" ? {} : { cursor: keys }) },
        })
      : { list: [], nextCursor: null };
  const all = newestFirst(
    ownPage.map((one) => viewOf(one, reader)),
    keysPage.list.map((one) => viewOfPlatform(one, reader)),
  );
  const list = all.slice(0, limit);
  const more = all.length > limit || keysPage.nextCursor !== null;
  const last = (prefix: "s" | "p") =>
    list.findLast(({ proposalId }) => proposalId.startsWith(prefix))?.proposalId.slice(1);
  return { list, nextCursor: more ? `${last("s") ?? own}-${last("p") ?? keys}` : null };
}
