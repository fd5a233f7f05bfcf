import { z } from "zod";
import type { CallingContext } from "../../../mixins/http/endpoint-form.ts";
import { shownUserId } from "../../http-fields.ts";

/** Who is muted or banned, and who may mute in a room. */

/** A mute or a ban. */
export const shownRestriction = z.object({
  ...{ restrictionId: z.string(), userId: shownUserId, kind: z.string(), roomId: z.int().nullable() },
  ...{ until: z.string().nullable(), reason: z.string(), by: z.string(), createTime: z.string() },
  ...{ liftedTime: z.string().nullable(), liftedBy: z.string().nullable() },
});
export type ShownRestriction = z.input<typeof shownRestriction>;

/** The newest restrictions of a user or in a room that are in force; `undefined` where nobody answers. */
export async function restrictionsOf(
  _ctx: CallingContext,
  _of: { userId: string } | { roomId: number },
): Promise<ShownRestriction[] | undefined> {
  return undefined;
}

/** The moderators of an anchor; `undefined` where nobody answers. */
export async function moderatorsOf(_ctx: CallingContext, _anchorId: string): Promise<string[] | undefined> {
  return undefined;
}
