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
 * What persons decided about an order's dead letters, the latest first; `undefined` where the staff service is away.
 * Without forged ones: they prove nothing about the order that they name. One of an unknown key may be genuine.
 */
export async function lettersOf(ctx: CallingContext, orderId: string): Promise<HandledDeadLetter[] | undefined> {
  const handled = await unlessAway(
    call(ctx, "staff.handledDeadLetters", { orderId, limit: limits.lookup.storyDeadLetters }),
  );
  return handled?.list.filter(({ forged, unknownKey }) => !forged || unknownKey);
}

/**
 * What persons asked to move about an order, oldest first, also where nobody had to approve it, and what they decided
 * about its dead letters, the latest first; `undefined` where the staff service is away, which checks the session.
 */
export async function staffPartOf(
  ctx: CallingContext,
  orderId: string,
  session: string,
): Promise<StaffPart | undefined> {
  const { storyProposals } = limits.lookup;
  const [proposed, letters] = await Promise.all([
    unlessAway(call(ctx, "staff.proposals", { session, subject: orderId, limit: storyProposals })),
    lettersOf(ctx, orderId),
  ]);
  if (!proposed || !letters) return undefined;
  const proposals = proposed.list
    .map(({ proposalId, kind, coins, reason, proposedBy, createTime, state, decidedBy, decidedTime }) => ({
      ...{ proposalId, kind, coins, reason, proposedBy, createTime, state, decidedBy, decidedTime },
    }))
    .toReversed();
  return { proposals, letters };
}
