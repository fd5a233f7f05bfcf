import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { eventTime, id, integer, kind, text, userId } from "../fields.ts";

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
}

export const livingRoomActions = {
  /**
   * Opens the user's live room; a user who has one gets it unchanged. A blank or missing `roomName` is made of the nick
   * name. A repeat is safe: within `limits.room.startEveryMs` it fails with startTooOften, whose data has the ms to wait;
   * later it gets the same room. Fails: roomTypeMissing; invalidParam (unknown type); startTooOften; accountUnusable
   * (frozen or invalid); unavailable, also where the wallet is away.
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
  /** The anchors of rooms, as old as those of `find`; rooms that are not live are left out. */
  anchorsOf: action({ roomIds: z.array(id).min(1).max(limits.room.anchorsPerCall) }).returns<{
    list: { roomId: number; anchorId: string }[];
  }>(),
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
};

export const livingRoomEvents = {
  "room.opened": z.object({ roomId: id, anchorId: userId, type: kind, roomName: z.string(), time: eventTime }),
  "room.closed": z.object({ roomId: id, anchorId: userId, time: eventTime }),
};
