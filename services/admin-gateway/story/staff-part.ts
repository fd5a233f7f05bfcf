import { limits } from "../../../config/limits.ts";
import type { CallingContext } from "../../../mixins/http/endpoint-form.ts";
import { call } from "../../contracts.ts";
import type { HandledDeadLetter } from "../../staff/dead-letters.contract.ts";
import { unlessAway } from "../answers.ts";
import type { StoryProposal } from "./story.ts";

/** What the staff service has of an order. */
export interface StaffPart {
  readonly proposals: readonly StoryProposal[];
  readonly letters: readonly HandledDeadLetter[];
}

/**
 * What persons asked to move about an order, oldest first, also where nobody had to approve it, and what they decided
 * about its dead letters, the latest first; `undefined` where the staff service is away, which checks the session.
 * Without forged dead letters: they prove nothing about the order that they name.
 */
export async function staffPartOf(
  ctx: CallingContext,
  orderId: string,
  session: string,
): Promise<StaffPart | undefined> {
  const { storyProposals, storyDeadLetters } = limits.lookup;
  const [proposed, handled] = await Promise.all([
    unlessAway(call(ctx, "staff.proposals", { session, subject: orderId, limit: storyProposals })),
    unlessAway(call(ctx, "staff.handledDeadLetters", { orderId, limit: storyDeadLetters })),
  ]);
  if (!proposed || !handled) return undefined;
  const proposals = proposed.list
    .map(({ proposalId, kind, coins, reason, proposedBy, createTime, state, decidedBy, decidedTime }) => ({
      ...{ proposalId, kind, coins, reason, proposedBy, createTime, state, decidedBy, decidedTime },
    }))
    .toReversed();
  return { proposals, letters: handled.list.filter(({ forged }) => !forged) };
}
