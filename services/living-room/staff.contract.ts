import { action } from "../action-contract.ts";
import { cursor, externalId, id, limit, operator, reason, userId } from "../fields.ts";

/** What staff look up of rooms, and closing one. */

/** Who of the staff closes a room, and why. */
export interface ClosedBy {
  readonly operator: string;
  readonly reason: string;
}

/** A room, live or closed. */
export interface StaffRoom {
  roomId: number;
  /** The platform's own id; `null` where it has none. */
  externalRoomId: string | null;
  anchorId: string;
  /** 1 normal, 2 PK. */
  type: number;
  roomName: string;
  live: boolean;
  /** Of a live room as of the last seconds, of a closed one at its end. */
  watchNum: number;
  startTime: string;
  /** `null` while it is live. */
  endTime: string | null;
  /** The viewer who receives gifts beside the anchor, in a live room. */
  guestId: string | null;
  /** Who of the staff closed it, and why; `null` where the anchor, the platform or the system did. */
  closedBy: string | null;
  closeReason: string | null;
}

export const livingRoomStaffActions = {
  /** The rooms of an anchor, newest first, the live one too; `cursor` is a room id. Fails: unavailable. */
  roomsOfAnchor: action({ userId, cursor, limit }).returns<{ list: StaffRoom[]; nextCursor: string | null }>(),
  /** A room, live or closed. Fails: roomNotLive, where there never was such a room; unavailable. */
  roomForStaff: action({ roomId: id }).returns<StaffRoom>(),
  /**
   * The rooms that the platform calls so: the live one, and the last closed one. Fails: unavailable.
   */
  roomsOfExternal: action({ externalRoomId: externalId }).returns<{ list: StaffRoom[] }>(),
  /**
   * Closes a room by a decision of staff, whoever's it is. When it returns, the close is durable and known on this node;
   * other nodes learn it by a broadcast, and the members get 5562 soon after. Operator and reason are in the record, in
   * the event `room.closed` and in the log. A repeat changes nothing: `closed` is whether this call closed it. Fails:
   * roomNotLive, where there never was such a room; unavailable.
   */
  closeForStaff: action({ roomId: id, reason, operator }).returns<{
    roomId: number;
    anchorId: string;
    externalRoomId?: string;
    closed: boolean;
  }>(),
};
