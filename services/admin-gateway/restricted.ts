import { limits } from "../../config/limits.ts";
import type { CallingContext } from "../../mixins/http/endpoint-form.ts";
import { call } from "../contracts.ts";
import type { Restriction } from "../user/restrictions.contract.ts";
import { unlessAway } from "./answers.ts";

/** Who is muted or banned, and who may mute in a room, as a page of a user or a room shows it. */

/** The newest restrictions of a user or in a room that are in force; `undefined` where the user service is away. */
export async function restrictionsOf(
  ctx: CallingContext,
  of: { userId: string } | { roomId: number },
): Promise<Restriction[] | undefined> {
  const found = await unlessAway(
    call(ctx, "user.restrictions", { ...of, active: 1, limit: limits.lookup.restrictionsShown }),
  );
  return found?.list;
}

/** The moderators of an anchor; `undefined` where the living-room service is away. */
export async function moderatorsOf(ctx: CallingContext, anchorId: string): Promise<string[] | undefined> {
  return (await unlessAway(call(ctx, "living-room.moderators", { anchorId })))?.userIds;
}
