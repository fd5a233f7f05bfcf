import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { cursor, eventTime, id, integer, isoTime, limit, operator, spelledAsDigits, text, userId } from "../fields.ts";
import type { FeedPage } from "../row-feed.ts";

/** Mutes and bans: what other services see of them. */

export const restrictionKinds = ["mute", "ban"] as const;
export type RestrictionKind = (typeof restrictionKinds)[number];
const kind = z.enum(restrictionKinds);
const restrictionId = z
  .string()
  .regex(/^[1-9]\d{0,18}$/)
  .register(spelledAsDigits, {});

/** A restriction as nodes keep it. `roomId` null: everywhere. `until`: ms since 1970, null for ever. */
const fact = z.object({
  restrictionId,
  userId,
  kind,
  roomId: id.nullable(),
  until: integer(0).nullable(),
  lifted: z.boolean(),
});
export type RestrictionFact = z.output<typeof fact>;

/** A restriction as people see it; times are ISO 8601 in UTC. */
export interface Restriction {
  restrictionId: string;
  userId: string;
  kind: RestrictionKind;
  /** `null`: everywhere. */
  roomId: number | null;
  /** `null`: for ever. */
  until: string | null;
  reason: string;
  /** `staff:NAME`, or the user id of the anchor or of her moderator. */
  by: string;
  createTime: string;
  liftedTime: string | null;
  liftedBy: string | null;
  liftReason: string | null;
}

/** Why; a moderator may leave it out. */
const given = text(1, limits.user.restrictionReasonChars);
const reason = text(0, limits.user.restrictionReasonChars).default("");

export const restrictionActions = {
  /**
   * Staff. Mutes or bans a user, in one room or everywhere, until a time or for ever; durable when it returns, in force
   * on every node within a second. In a room it lasts `limits.user.roomRestrictionMs` at
   * the most. It adds to what is in force; a repeat with the same `writeId` is the same
   * restriction. Fails: userUnknown; invalidParam, where `until` is not in the future by the database's clock;
   * idempotencyConflict, where the `writeId` was used for other params; unavailable.
   */
  restrict: action({
    userId,
    kind,
    roomId: id.optional(),
    until: isoTime.optional(),
    reason: given,
    writeId: z.uuid().optional(),
    operator,
  }).returns<Restriction>(),
  /** Staff. Lifts a restriction; a repeat changes nothing. Fails: restrictionUnknown, unavailable. */
  liftRestriction: action({ restrictionId, reason: given, operator }).returns<Restriction>(),
  /** Newest first; `cursor` is a restriction id. `active` 1: those in force; 0: the others. */
  restrictions: action({
    userId: userId.optional(),
    roomId: id.optional(),
    active: integer(0, 1).optional(),
    cursor,
    limit,
  }).returns<{ list: Restriction[]; nextCursor: string | null }>(),
  /**
   * Mutes a user in a live room, for its anchor or one of her moderators (`by`): the caller knows that they are. As
   * durable as `restrict`. Fails: userUnknown; muted or banned, where `by` is so in this room; restrictionLimit, where
   * `limits.user.roomMutesInForce` mutes of this kind are in force in the room; unavailable.
   */
  muteInRoom: action({
    userId,
    roomId: id,
    minutes: integer(1, limits.user.roomMuteMinutes),
    reason,
    by: userId,
  }).returns<Restriction>(),
  /**
   * Lifts the mutes of a user in a room that its anchor or her moderators placed, not those of staff; those of `but`
   * stay. Returns how many it lifted. Fails: muted or banned, where `by` is so in this room; unavailable.
   */
  unmuteInRoom: action({ userId, roomId: id, by: userId, but: userId.optional() }).returns<{ lifted: number }>(),
  /** Fails: muted or banned, where the user is so in this room, by the database; unavailable. */
  requireUnrestricted: action({ userId, roomId: id }).returns<null>(),
  /** Those of the users who are banned everywhere, by the database. Fails: unavailable. */
  bannedAmong: action({ userIds: z.array(userId).min(1).max(limits.user.bannedPerCall) }).returns<{
    userIds: string[];
  }>(),
  /**
   * For the copies of nodes (services/row-feed.ts). With `since` 0 the restrictions in force; else those that were placed
   * or lifted at `since` (ms of the database's clock) or later. Pages follow by `next`. Fails: unavailable.
   */
  restrictionsSince: action({
    since: integer(0, Date.UTC(10_000, 0) - 1),
    afterId: z
      .string()
      .regex(/^\d{1,20}(:\d{1,20})?$/)
      .default("0"),
  }).returns<FeedPage<RestrictionFact>>(),
};

const about = { restrictionId: z.string(), userId, kind: z.string(), roomId: id.nullable() };

export const restrictionEvents = {
  /** A user was muted or banned. That it ends at `until` is no event. */
  "user.restricted": z.object({
    ...about,
    until: eventTime.nullable(),
    reason: z.string(),
    by: z.string(),
    time: eventTime,
  }),
  /** A restriction was lifted. */
  "user.unrestricted": z.object({ ...about, reason: z.string(), by: z.string(), time: eventTime }),
};

export const restrictionBroadcasts = {
  /** Restrictions were placed or lifted. Nodes also poll `user.restrictionsSince`, so it may be lost. */
  "user.restrictions-changed": z.object({ list: z.array(fact).min(1) }),
};
