import { action } from "../action-contract.ts";
import { id, orderId } from "../fields.ts";

/** A chat message of a room, as viewers got it. */
export interface ShownChat {
  msgId: string;
  senderId: string;
  /** Up to `limits.im.chatChars` characters. */
  text: string;
}

/** What staff look up of frames. */
export const imRouterStaffActions = {
  /**
   * The frame of a room that showed a gift, while the room's history has it: its number and epoch. `null` where it does
   * not: it may have been sent and dropped from the history since (`limits.im.roomHistoryFrames`, `roomHistoryMs`), or
   * numbered without a history. Nothing has the time at which it was sent. Fails: unavailable, without Redis.
   */
  giftFrame: action({ roomId: id, orderId }).returns<{ seq: number; epoch: string } | null>(),
  /**
   * The chat of a room that its history has, newest first; without what was removed. Nothing has the time at which it was
   * sent. Fails: unavailable, without Redis.
   */
  roomChat: action({ roomId: id }).returns<ShownChat[]>(),
};
