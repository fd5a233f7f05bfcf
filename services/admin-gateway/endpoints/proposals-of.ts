import type { CallingContext } from "../../../mixins/http/endpoint-form.ts";
import type { StoryProposal } from "../story/story.ts";

/** The proposals about an order, of the staff service, which checks the session; `undefined` where it is away. */
export async function proposalsOf(
  _ctx: CallingContext,
  _orderId: string,
  _session: string,
): Promise<StoryProposal[] | undefined> {
  return [];
}
