import { action } from "../action-contract.ts";
import { orderId } from "../fields.ts";

/** What staff look up of gifts. Times are ISO 8601 in UTC. */

/** Where something of a gift is. `notKept`: it can be known no more; `missing`: it certainly is not there. */
export type Kept = "done" | "waiting" | "missing" | "notKept";

/** What the gift service knows of an order. */
export interface GiftOrderStory {
  orderId: string;
  /** What the order id is made of: the client's request id, or chance. */
  madeOf: "requestId" | "random";
  senderId: string;
  receiverId: string;
  roomId: number;
  giftId: number;
  /** `null` where the gift is not in the catalogue. */
  giftName: string | null;
  count: number;
  /** The price of one when it was accepted, coins. */
  price: number;
  state: "waiting" | "deadLetter" | "succeeded" | "failed";
  /**
   * When it was accepted. `clock`: `jetstream` is the time of its message in the queue; `node` that of the node that
   * accepted it, where the message is not found.
   */
  accepted: { time: string; clock: "jetstream" | "node" };
  /** Its message in the queue, and how many messages are before it at the most; `null` where it is in none. */
  queue: { stream: string; sequence: number; before: number } | null;
  /** `id`: by which staff name it. */
  deadLetter: { id: number; time: string; reason: string } | null;
  record: {
    id: string;
    reason: string | null;
    /** The receiver's share, whole coins and points. */
    income: number;
    incomePoints: number;
    /** When it was settled. */
    time: string;
  } | null;
  /** The event `gift.settled`: its sequence in stream EVENTS, and when it was stored. */
  event: { state: Kept; sequence: number | null; time: string | null };
}

export const giftStaffActions = {
  /**
   * The books first, then the queue and the dead letters, with bounded reads (`limits.lookup`). Fails: giftOrderUnknown,
   * also where a gift waits so far back in the queue, or among so many dead letters, that it is not found and Redis has
   * lost it; unavailable.
   */
  orderStory: action({ orderId }).returns<GiftOrderStory>(),
};
