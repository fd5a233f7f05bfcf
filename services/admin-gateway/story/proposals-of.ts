import { limits } from "../../../config/limits.ts";
import type { CallingContext } from "../../../mixins/http/endpoint-form.ts";
import { call } from "../../contracts.ts";
import { unlessAway } from "../answers.ts";
import type { StoryProposal } from "./story.ts";

/**
 * What persons asked to move about an order, oldest first, also where nobody had to approve it; `undefined` where the
 * staff service is away, which checks the session.
 */
export async function proposalsOf(
  ctx: CallingContext,
  orderId: string,
  session: string,
): Promise<StoryProposal[] | undefined> {
  const found = await unlessAway(
    call(ctx, "staff.proposals", { session, subject: orderId, limit: limits.lookup.storyProposals }),
  );
  return found?.list
    .map(({ proposalId, kind, coins, reason, proposedBy, createTime, state, decidedBy, decidedTime }) => ({
      ...{ proposalId, kind, coins, reason, proposedBy, createTime, state, decidedBy, decidedTime },
    }))
    .toReversed();
}
