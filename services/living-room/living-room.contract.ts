import { userIdPattern } from "../user-id-pattern.ts";

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

export interface LivingRoomActions {
  /**
   * Opens the user's live room; a user who has one gets that one, unchanged. A blank or missing `roomName` becomes one
   * made of the nick name. A repeat is safe: within `limits.room.startEveryMs` it fails with startTooOften and says when to
   * try again, later it gets the same room. Fails: roomTypeMissing, invalidParam (a type there is not), startTooOften,
   * accountUnusable (frozen or invalid; it does not count as a start); unavailable also where the wallet is away.
   */
  start: { params: { userId: string; type?: number; roomName?: string }; result: { roomId: number } };
  /**
   * The room is not live any more when it returns, on this node; on others within the broadcast's way. Everybody in it
   * is let go soon after. A repeat is safe: it changes nothing, and fails with closeTooOften within
   * `limits.room.closeEveryMs` (without Redis, which counts them, it succeeds for `closeTwinMs`), later as a room that is
   * not live. Fails: notYourRoom (also where there is no such live room), closeTooOften.
   */
  close: { params: { userId: string; roomId: number }; result: null };
  /** Live rooms of a type, newest first. */
  list: {
    params: { type: number; page: number; pageSize: number };
    result: { list: RoomListItem[]; hasNext: boolean };
  };
  /** A live room, `null` where it is not live. Answers may be up to `limits.room.cacheTtlMs` old. */
  find: { params: { roomId: number }; result: LiveRoom | null };
  /**
   * The anchor is about to be connected to her room over IM: this ends her absence, and a later one counts from zero.
   * `live` is false where the room has been closed. `late` where she has been let in already, and may have left: then it
   * says only that she was there. A repeat is safe. Fails: unavailable.
   */
  anchorEntered: { params: { anchorId: string; roomId: number; late?: boolean }; result: { live: boolean } };
  /** How many watch each room, written to the room list; rooms that are not live any more are passed over. */
  setWatchNumbers: { params: { rooms: { roomId: number; watchNum: number }[] }; result: null };
}

export interface LivingRoomEvents {
  "room.opened": { roomId: number; anchorId: string; type: number; roomName: string; time: string };
  "room.closed": { roomId: number; anchorId: string; time: string };
}

const roomId = { type: "number", integer: true, positive: true } as const;
const userId = { type: "string", pattern: userIdPattern } as const;

export const livingRoomParams = {
  start: {
    userId,
    type: { type: "number", integer: true, optional: true },
    roomName: { type: "string", max: 60, optional: true },
  },
  close: { userId, roomId },
  list: {
    type: { type: "number", integer: true },
    page: { type: "number", integer: true, min: 1, max: 1_000_000 },
    pageSize: { type: "number", integer: true, min: 1, max: 100 },
  },
  find: { roomId },
  anchorEntered: { anchorId: userId, roomId, late: { type: "boolean", optional: true } },
  setWatchNumbers: {
    rooms: {
      type: "array",
      max: 10_000,
      items: {
        type: "object",
        props: { roomId, watchNum: { type: "number", integer: true, min: 0, max: 1_000_000_000 } },
      },
    },
  },
} as const;
