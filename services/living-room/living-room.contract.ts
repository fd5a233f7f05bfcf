import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { id, integer, isoTime, kind, text, userId } from "../fields.ts";

/** What other services may use of the living-room service. */
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
   * Opens the user's live room; a user who has one gets that one, unchanged. A blank or missing `roomName` becomes one
   * made of the nick name. A repeat is safe: within `limits.room.startEveryMs` it fails with startTooOften and says when to
   * try again, later it gets the same room. Fails: roomTypeMissing, invalidParam (a type there is not), startTooOften,
   * accountUnusable (frozen or invalid; it does not count as a start); unavailable also where the wallet is away.
   */
  start: action({
    userId,
    type: integer(0, 1_000_000, "roomTypeMissing"),
    roomName: text(0, limits.room.nameChars).optional(),
  }).returns<{ roomId: number }>(),
  /**
   * The room is not live any more when it returns, on this node; on others within the broadcast's way. Everybody in it
   * is let go soon after. A repeat is safe: it changes nothing, and fails with closeTooOften within
   * `limits.room.closeEveryMs` (without Redis, which counts them, it succeeds for `closeTwinMs`), later as a room that is
   * not live. Fails: notYourRoom (also where there is no such live room), closeTooOften.
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
  /**
   * The anchor is about to be connected to her room over IM: this ends her absence, and a later one counts from zero.
   * `live` is false where the room has been closed. `late` where she has been let in already, and may have left: then it
   * says only that she was there. A repeat is safe. Fails: unavailable.
   */
  anchorEntered: action({ anchorId: userId, roomId: id, late: z.boolean().optional() }).returns<{ live: boolean }>(),
  /** How many watch each room, written to the room list; rooms that are not live any more are passed over. */
  setWatchNumbers: action({
    rooms: z.array(z.object({ roomId: id, watchNum: integer(0, 1_000_000_000) })).max(10_000),
  }).returns<null>(),
};

export const livingRoomEvents = {
  "room.opened": z.object({ roomId: id, anchorId: userId, type: kind, roomName: z.string(), time: isoTime }),
  "room.closed": z.object({ roomId: id, anchorId: userId, time: isoTime }),
};
