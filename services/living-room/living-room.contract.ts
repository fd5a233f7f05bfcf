import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { erasureActions } from "../erasure.contract.ts";
import { businessId, eventTime, externalId, id, integer, kind, text, userId } from "../fields.ts";
import { moderatorActions } from "./moderators.contract.ts";
import { livingRoomStaffActions } from "./staff.contract.ts";

/** The actions and events of the living-room service for other services. */
export interface RoomListItem {
  id: number;
  roomName: string;
  anchorId: string;
  watchNum: number;
  goodNum: number;
  covertImg: string;
}

export interface LiveRoom {
  roomId: number;
  anchorId: string;
  type: number;
  roomName: string;
  /** The platform's own id of the room, where it has one. No two live rooms have the same. */
  externalRoomId?: string;
  /** The viewer who is linked as a guest and receives gifts in this room, beside the anchor. */
  guestId?: string;
}

export type ClosedRoom = Pick<LiveRoom, "roomId" | "anchorId" | "externalRoomId">;

/** Who receives gifts in a live room. */
export type RoomReceivers = Pick<LiveRoom, "roomId" | "anchorId" | "guestId">;

/** A decimal string. */
const battleId = z.string().regex(/^[1-9]\d{0,19}$/);

export const livingRoomActions = {
  ...livingRoomStaffActions,
  /** Of an anchor: names and pictures of her rooms; of anybody: being a moderator, and chat in the histories of rooms. */
  ...erasureActions,
  /**
   * Opens the user's live room; a user who has one gets it unchanged. A blank or missing `roomName` is made of the nick
   * name. A repeat is safe: within `limits.room.startEveryMs` it fails with startTooOften, whose data has the ms to wait;
   * later it gets the same room. Fails: roomTypeMissing; invalidParam (unknown type); startTooOften; accountUnusable
   * (frozen or invalid); banned; unavailable, also where the wallet is away.
   */
  start: action({
    userId,
    type: integer(0, 1_000_000, "roomTypeMissing"),
    roomName: text(0, limits.room.nameChars).optional(),
  }).returns<{ roomId: number }>(),
  /**
   * Closes the room. When it returns, the close is durable and known on this node; other nodes learn it by a broadcast,
   * and the members get 5562 soon after. A repeat is safe: it changes nothing and fails with closeTooOften within
   * `limits.room.closeEveryMs`, later with notYourRoom. Without Redis, which counts the calls, a repeat succeeds for
   * `limits.room.closeTwinMs`. Fails: notYourRoom (also where there is no such live room), closeTooOften.
   */
  close: action({ userId, roomId: id }).returns<null>(),
  /**
   * Opens the live room of a user for the platform, as `start`, without its limit. Where the user has a live room it is
   * returned; one without an id of the platform gets `externalRoomId`, which its `room.opened` does not have. `opened`
   * is whether this request opened it. `writeId` identifies the request of the platform: the repeat of one that succeeded
   * gets its room and its `opened`, also where that room is closed since, or the account frozen. Fails: roomTypeMissing;
   * invalidParam (unknown type); userUnknown; accountUnusable; banned; anchorElsewhere, where the user's live room has another id
   * of the platform; externalRoomTaken, where another user's live room has this one; unavailable.
   */
  openForPlatform: action({
    userId,
    externalRoomId: externalId.optional(),
    type: integer(0, 1_000_000, "roomTypeMissing"),
    roomName: text(0, limits.room.nameChars).optional(),
    writeId: businessId,
  }).returns<{ room: LiveRoom; opened: boolean }>(),
  /**
   * Closes a room for the platform, whoever's it is; as durable as `close`, without its limit. `closed` is whether this
   * request closed it: closing a closed room changes nothing. With `externalRoomId` it is the live room of this id, or the
   * last one that had it. `writeId` identifies the request of the platform: the repeat of one that succeeded gets its
   * answer, and closes no later room of the same id. Fails: invalidParam unless one of `roomId` and `externalRoomId` is
   * there; roomNotLive, where there never was such a room; unavailable.
   */
  closeForPlatform: action({
    roomId: id.optional(),
    externalRoomId: externalId.optional(),
    writeId: businessId,
  }).returns<ClosedRoom & { closed: boolean }>(),
  /** The live room of a user, `null` where there is none; read from the database. */
  ofAnchor: action({ userId }).returns<LiveRoom | null>(),
  /**
   * The live rooms that the platform calls by these ids, read from the database; ids without one are left out. With
   * `closed`, an id without a live room stands for the last closed one that had it.
   */
  idsOfExternal: action({
    externalRoomIds: z.array(externalId).min(1).max(limits.room.externalIdsPerCall),
    closed: z.boolean().default(false),
  }).returns<{ list: { externalRoomId: string; roomId: number }[] }>(),
  /**
   * The platform's ids of rooms, live or closed, read from the database; rooms without one are left out. An id that a
   * room has is its id for ever; a live room may get one.
   */
  externalIdsOf: action({ roomIds: z.array(id).min(1).max(limits.room.externalIdsPerCall) }).returns<{
    list: { roomId: number; externalRoomId: string }[];
  }>(),
  /** Live rooms: how many, up to `limits.metrics.countedRows`. Fails: unavailable. */
  figures: action({}).returns<{ rooms: number }>(),
  /** Live rooms of a type, newest first. */
  list: action({
    type: kind,
    page: integer(1, limits.http.pageMax),
    pageSize: integer(1, limits.http.pageSizeMax),
  }).returns<{
    list: RoomListItem[];
    hasNext: boolean;
  }>(),
  /** A live room, `null` where it is not live. Answers may be up to `limits.room.cacheTtlMs` old. */
  find: action({ roomId: id }).returns<LiveRoom | null>(),
  /** The anchors and guests of rooms, as old as those of `find`; rooms that are not live are left out. */
  anchorsOf: action({ roomIds: z.array(id).min(1).max(limits.room.anchorsPerCall) }).returns<{
    list: RoomReceivers[];
  }>(),
  /**
   * Links a viewer as the room's guest: she receives gifts in it beside the anchor. Durable when it returns, in force on
   * every node within a second. It ends by `unlinkGuest`, with the room, or where the guest is banned everywhere. A repeat with the same battle and guest
   * changes nothing. Fails: roomNotLive; alreadyLinked, where another battle's guest is linked, and after `unlinkGuest`
   * of this battle or a newer one; invalidParam, where the guest is the anchor; banned, where the guest is so
   * everywhere; unavailable.
   */
  linkGuest: action({ roomId: id, guestId: userId, battleId }).returns<null>(),
  /**
   * Unlinks the guest of that battle, and keeps her unlinked: a `linkGuest` of it that is late is refused. A repeat,
   * another battle's guest and a room that is closed are left as they are.
   * In force on every node within a second.
   */
  unlinkGuest: action({ roomId: id, battleId }).returns<null>(),
  /**
   * Call it before the anchor is connected to her room over IM: her absence ends, and a later one counts from zero.
   * `live` is false where the room is closed. `late` is for an anchor who was admitted before this call and may have
   * left: it records only that she was there. A repeat is safe. Fails: unavailable.
   */
  anchorEntered: action({ anchorId: userId, roomId: id, late: z.boolean().optional() }).returns<{ live: boolean }>(),
  /** Writes how many watch each room to the room list; rooms that are not live are skipped. */
  setWatchNumbers: action({
    rooms: z.array(z.object({ roomId: id, watchNum: integer(0, 1_000_000_000) })).max(10_000),
  }).returns<null>(),
  ...moderatorActions,
};

const anyExternalId = z.string().optional();

export const livingRoomEvents = {
  "room.opened": z.object({
    roomId: id,
    anchorId: userId,
    type: kind,
    roomName: z.string(),
    externalRoomId: anyExternalId,
    time: eventTime,
  }),
  "room.closed": z.object({
    roomId: id,
    anchorId: userId,
    externalRoomId: anyExternalId,
    /** Who of the staff closed it, and why. */
    closedBy: z.string().optional(),
    reason: z.string().optional(),
    time: eventTime,
  }),
};
