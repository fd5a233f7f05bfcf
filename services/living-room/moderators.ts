import type { Context, Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import { call } from "../contracts.ts";
import type { ActionDefinitions } from "../define-service.ts";
import { mayModerate, roleIn, sparedBy } from "./moderation.ts";
import { deleteModerator, insertModerator, lockModeratorsOf, moderatorsOf } from "./moderator-store.ts";
import type { moderatorActions as contract, RoomRole } from "./moderators.contract.ts";
import type { RoomState } from "./room-state.ts";

/** See `living-room.addModerator`. The user exists. */
async function nameModerator(mysql: Database, anchorId: string, userId: string): Promise<void> {
  await mysql.transaction(async (tx) => {
    const named = await lockModeratorsOf(tx, anchorId);
    if (named.includes(userId)) return;
    if (named.length >= limits.room.moderators) throw fail("moderatorLimit", { anchorId });
    await insertModerator(tx, anchorId, userId);
  });
}

interface Place {
  readonly anchorId: string;
  readonly moderators: readonly string[];
  readonly role: RoomRole;
}

/** Fails: roomNotLive. */
async function placeOf({ rooms, mysql }: RoomState, roomId: number, userId: string): Promise<Place> {
  const room = await rooms.get(roomId);
  if (!room) throw fail("roomNotLive", { roomId });
  const moderators = await moderatorsOf(mysql, room.anchorId);
  return { anchorId: room.anchorId, moderators, role: roleIn(room.anchorId, moderators, userId) };
}

type About = { readonly callerId: string; readonly roomId: number; readonly userId: string };

/** Fails: roomNotLive, notAllowed. */
async function requireMayModerate(state: RoomState, { callerId, roomId, userId }: About): Promise<Place> {
  const place = await placeOf(state, roomId, callerId);
  if (!mayModerate(place.role, roleIn(place.anchorId, place.moderators, userId)) || callerId === userId)
    throw fail("notAllowed", { roomId, callerId, userId });
  return place;
}

/** The actions of anchors about their moderators, and of both in a live room. */
export const moderatorActions: ActionDefinitions<Service & RoomState, typeof contract> = {
  moderators: {
    async handler(ctx) {
      return { userIds: await moderatorsOf(this.mysql, ctx.params.anchorId) };
    },
  },

  addModerator: {
    async handler(ctx) {
      const { anchorId, userId } = ctx.params;
      if (anchorId === userId) throw fail("invalidParam", { field: "userId", problem: "it is the anchor" });
      await call(ctx, "user.profile", { userId });
      await nameModerator(this.mysql, anchorId, userId);
      return null;
    },
  },

  removeModerator: {
    async handler(ctx) {
      await deleteModerator(this.mysql, ctx.params.anchorId, ctx.params.userId);
      return null;
    },
  },

  roleOf: {
    async handler(ctx) {
      const { role } = await placeOf(this, ctx.params.roomId, ctx.params.userId);
      return { role };
    },
  },

  mute: {
    async handler(ctx) {
      const { callerId: by, roomId, userId, minutes, reason } = ctx.params;
      await requireMayModerate(this, ctx.params);
      const muted = await call(ctx, "user.muteInRoom", { userId, roomId, minutes, reason, by });
      this.logger.info({ ...about(ctx), restrictionId: muted.restrictionId }, "a user is muted in a room");
      return muted;
    },
  },

  unmute: {
    async handler(ctx) {
      const { callerId: by, roomId, userId } = ctx.params;
      const { role, anchorId } = await requireMayModerate(this, ctx.params);
      const but = role === "anchor" ? {} : { but: anchorId };
      const answer = await call(ctx, "user.unmuteInRoom", { userId, roomId, by, ...but });
      this.logger.info({ ...about(ctx), ...answer }, "a user is no more muted in a room by its people");
      return answer;
    },
  },

  removeChat: {
    async handler(ctx) {
      const { callerId: userId, roomId, msgId } = ctx.params;
      const { role, anchorId, moderators } = await placeOf(this, roomId, userId);
      if (role === "viewer") throw fail("notAllowed", { roomId, userId });
      await call(ctx, "user.requireUnrestricted", { userId, roomId });
      const spared = sparedBy(role, userId, anchorId, moderators);
      await call(ctx, "im-router.removeChat", { roomId, msgId, spared, always: role === "anchor" });
      this.logger.info({ roomId, by: userId, msgId, requestId: ctx.requestID }, "chat is removed");
      return null;
    },
  },
};

const about = ({ params, requestID }: Context<About>) => ({
  ...{ roomId: params.roomId, userId: params.userId, by: params.callerId },
  requestId: requestID,
});
