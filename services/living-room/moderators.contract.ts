import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { chatMsgId, id, integer, text, userId } from "../fields.ts";
import type { Restriction } from "../user/restrictions.contract.ts";

export const roomRoles = ["anchor", "moderator", "viewer"] as const;
export type RoomRole = (typeof roomRoles)[number];

/** `callerId` is the anchor or moderator of the live room who asks; `userId` is whom it is about. */
const about = { callerId: userId, roomId: id, userId };

export const moderatorActions = {
  /** The moderators of an anchor, in the order in which she named them. */
  moderators: action({ anchorId: userId }).returns<{ userIds: string[] }>(),
  /**
   * Names a moderator for all rooms of the anchor, this one and later ones; durable when it returns. A repeat changes
   * nothing. Fails: userUnknown; invalidParam, where it is the anchor; moderatorLimit, where she has
   * `limits.room.moderators`; unavailable.
   */
  addModerator: action({ anchorId: userId, userId }).returns<null>(),
  /** A repeat changes nothing. What she has muted stays muted. Fails: unavailable. */
  removeModerator: action({ anchorId: userId, userId }).returns<null>(),
  /** The user's role in a live room. Fails: roomNotLive. */
  roleOf: action({ roomId: id, userId }).returns<{ role: RoomRole }>(),
  /**
   * Mutes a user in a live room; as durable as `user.muteInRoom`. Fails: roomNotLive; notAllowed, by the table in
   * moderation.ts; muted or banned, where the caller is so; userUnknown, restrictionLimit, unavailable.
   */
  mute: action({
    ...about,
    minutes: integer(1, limits.user.roomMuteMinutes),
    reason: text(0, limits.user.restrictionReasonChars).optional(),
  }).returns<Restriction>(),
  /**
   * Lifts the mutes of a user in a live room that its anchor or moderators placed; a moderator does not lift the
   * anchor's. A repeat changes nothing. Fails: as `mute`.
   */
  unmute: action(about).returns<{ lifted: number }>(),
  /**
   * Removes a chat message of a live room from its history and from screens: see `im-router.removeChat`. Fails:
   * roomNotLive; notAllowed, for viewers, and for a moderator where it is the anchor's or another moderator's; muted or
   * banned, where the caller is so; chatUnknown, for a moderator, where the history does not have it; unavailable.
   */
  removeChat: action({ callerId: userId, roomId: id, msgId: chatMsgId }).returns<null>(),
};
