import { z } from "zod";
import { limits } from "../../../config/limits.ts";
import { call } from "../../contracts.ts";
import { text } from "../../fields.ts";
import { fromHttp, nothing, pageOf, shownUserId } from "../../http-fields.ts";
import { imRouterActions } from "../../im-router/im-router.contract.ts";
import { restrictionActions, restrictionKinds } from "../../user/restrictions.contract.ts";
import { staffEndpoint } from "./endpoint.ts";

/** A mute or a ban. */
export const shownRestriction = z.object({
  restrictionId: z.string(),
  userId: shownUserId,
  kind: z.enum(restrictionKinds),
  roomId: z.int().nullable().meta({ description: "null: everywhere" }),
  until: z.string().nullable().meta({ description: "ISO 8601, UTC; null: for ever" }),
  reason: z.string(),
  by: z.string().meta({ description: "staff:NAME, or the user id of the anchor or of her moderator" }),
  createTime: z.string(),
  liftedTime: z.string().nullable(),
  liftedBy: z.string().nullable(),
  liftReason: z.string().nullable(),
});

export const restrictionEndpoints = [
  staffEndpoint({
    path: "restriction/add",
    summary: "Mutes or bans a user, in a room or everywhere, until a time or for ever",
    description:
      "In force on every node within a second. What was accepted before still settles. A ban everywhere closes the live " +
      "room of an anchor. A room is one broadcast: her next one is another room, and in a room it lasts 30 days at the most. Send a `writeId` (UUID): then the same request again is the same restriction.",
    right: "restrict",
    params: fromHttp(restrictionActions.restrict, "operator"),
    result: shownRestriction,
    failures: ["userUnknown", "idempotencyConflict"],
    run: (ctx, params, { operator }) => call(ctx, "user.restrict", { ...params, operator }),
  }),

  staffEndpoint({
    path: "restriction/lift",
    summary: "Lifts a restriction; a repeat changes nothing",
    right: "restrict",
    params: fromHttp(restrictionActions.liftRestriction, "operator"),
    result: shownRestriction,
    failures: ["restrictionUnknown"],
    run: (ctx, params, { operator }) => call(ctx, "user.liftRestriction", { ...params, operator }),
  }),

  staffEndpoint({
    path: "restriction/list",
    summary: "Restrictions, newest first; `active` 1: those in force, 0: those that are over or lifted",
    right: "read",
    params: fromHttp(restrictionActions.restrictions),
    result: pageOf(shownRestriction),
    run: (ctx, params) => call(ctx, "user.restrictions", params),
  }),

  staffEndpoint({
    path: "chat/remove",
    summary: "Removes a chat message of a room from its history and from screens (5564); a repeat is harmless",
    description: "A message that the history does not have any more is removed from screens all the same.",
    right: "restrict",
    params: {
      ...fromHttp(imRouterActions.removeChat, "spared", "always"),
      reason: text(1, limits.user.restrictionReasonChars),
    },
    result: nothing,
    run: (ctx, { roomId, msgId }) => call(ctx, "im-router.removeChat", { roomId, msgId, spared: [], always: true }),
  }),
];
