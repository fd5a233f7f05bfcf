import { z } from "zod";
import { limits } from "../../../config/limits.ts";
import { call } from "../../contracts.ts";
import { fromHttp, nothing, shownUserId } from "../../http-fields.ts";
import { moderatorActions, roomRoles } from "../../living-room/moderators.contract.ts";
import { restrictionsAt } from "../../restrictions.mixin.ts";
import { endpoint } from "./endpoint.ts";

const base = "/live/api/living";
const perMinute = { user: limits.room.moderationPerMinute };
const refusals = ["roomNotLive", "notAllowed", "muted"] as const;

const isoOf = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

/** Of an anchor and her moderators. `banned` is a failure of every endpoint with a login. */
export const moderationEndpoints = [
  endpoint({
    path: `${base}/moderators`,
    summary: "The moderators of the caller's rooms",
    access: "login",
    params: {},
    result: z.object({ list: z.array(z.object({ userId: shownUserId, nickName: z.string(), avatar: z.string() })) }),
    async run(ctx, _params, { userId }) {
      const { userIds } = await call(ctx, "living-room.moderators", { anchorId: userId });
      if (userIds.length === 0) return { list: [] };
      const { list } = await call(ctx, "user.profiles", { userIds });
      const known = new Map(list.map((profile) => [profile.userId, profile]));
      return { list: userIds.map((id) => known.get(id) ?? { userId: id, nickName: "", avatar: "" }) };
    },
  }),

  endpoint({
    path: `${base}/addModerator`,
    summary: "Names a moderator for all rooms of the caller, 20 at the most; a repeat changes nothing",
    access: "login",
    params: fromHttp(moderatorActions.addModerator, "anchorId"),
    result: nothing,
    failures: ["userUnknown", "moderatorLimit"],
    perMinute,
    run: (ctx, params, { userId: anchorId }) => call(ctx, "living-room.addModerator", { ...params, anchorId }),
  }),

  endpoint({
    path: `${base}/removeModerator`,
    summary: "Takes a moderator off the caller's rooms; a repeat changes nothing",
    access: "login",
    params: fromHttp(moderatorActions.removeModerator, "anchorId"),
    result: nothing,
    perMinute,
    run: (ctx, params, { userId: anchorId }) => call(ctx, "living-room.removeModerator", { ...params, anchorId }),
  }),

  endpoint({
    path: `${base}/roomRole`,
    summary: "What the caller is in a live room, and until when muted; `mutedUntil` null with `muted`: for ever",
    access: "login",
    params: fromHttp(moderatorActions.roleOf, "userId"),
    result: z.object({ role: z.enum(roomRoles), muted: z.boolean(), mutedUntil: z.string().nullable() }),
    failures: ["roomNotLive"],
    perMinute: { user: limits.room.rolesPerMinute },
    async run(ctx, { roomId }, { userId }) {
      const { role } = await call(ctx, "living-room.roleOf", { roomId, userId });
      const mute = restrictionsAt(ctx.broker).muteOf(userId, roomId);
      return { role, muted: mute !== undefined, mutedUntil: mute ? isoOf(mute.until) : null };
    },
  }),

  endpoint({
    path: `${base}/mute`,
    summary: "Mutes a user in a live room; for its anchor and her moderators",
    description:
      "The anchor mutes everybody else, a moderator viewers. Nobody who is muted mutes. A further mute of a muted user adds " +
      "to it: the later end counts.",
    access: "login",
    params: fromHttp(moderatorActions.mute, "callerId"),
    result: z.object({ restrictionId: z.string(), until: z.string() }),
    failures: [...refusals, "userUnknown", "restrictionLimit"],
    perMinute,
    async run(ctx, params, { userId: callerId }) {
      const { restrictionId, until } = await call(ctx, "living-room.mute", { ...params, callerId });
      return { restrictionId, until: until as string };
    },
  }),

  endpoint({
    path: `${base}/unmute`,
    summary: "Lifts the mutes of a user in a live room; for its anchor and her moderators",
    description:
      "Those of the platform's staff stay, and those of the anchor where a moderator calls. A repeat changes nothing.",
    access: "login",
    params: fromHttp(moderatorActions.unmute, "callerId"),
    result: z.object({ lifted: z.int() }),
    failures: [...refusals],
    perMinute,
    run: (ctx, params, { userId: callerId }) => call(ctx, "living-room.unmute", { ...params, callerId }),
  }),

  endpoint({
    path: `${base}/removeChat`,
    summary: "Removes a chat message from a live room's history and screens (5564); for its anchor and her moderators",
    description:
      "A moderator removes neither the anchor's nor another moderator's, and only what the history still has; the anchor " +
      "also what may only be on screens. A repeat is harmless.",
    access: "login",
    params: fromHttp(moderatorActions.removeChat, "callerId"),
    result: nothing,
    failures: [...refusals, "chatUnknown"],
    perMinute,
    run: (ctx, params, { userId: callerId }) => call(ctx, "living-room.removeChat", { ...params, callerId }),
  }),
];
