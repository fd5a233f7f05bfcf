import { action } from "../action-contract.ts";
import { cursor, limit, userId } from "../fields.ts";

/** What staff and consoles look at of the gift service. */

/** The gift queue. Gifts of which a message cannot be read count as one. */
export interface QueueDepth {
  waiting: number;
  inFlight: number;
  /** Signed gifts that are dead letters. */
  deadLetters: number;
  /** How long the oldest message of the queue has been in it; `null` where it is empty. */
  oldestMs: number | null;
  /** Gifts that wait or are being settled, by partition. */
  partitions: { partition: number; gifts: number }[];
}

export interface GiftMinute {
  /** Its first second, ISO. */
  minute: string;
  gifts: number;
  coins: number;
}

/** A row of the anchors' own shares. */
export interface WrittenShare {
  /** Its number in the table. */
  id: string;
  anchorId: string;
  /** Whole percent; `null`: the default. */
  percent: number | null;
  from: string;
  operator: string;
  written: string;
  /** Of its signature: a row that is `wrong` gives no share, with one of an `unknownKey` gifts are unavailable. */
  verdict: "right" | "wrong" | "unknownKey";
  /** As of now. */
  inForce: boolean;
}

export const giftWorkActions = {
  /**
   * What is written of the anchors' own shares, of all or of one, by anchor and in the order in which they come into
   * force. `cursor` is the id of the last row of the page before.
   */
  shares: action({ anchorId: userId.optional(), cursor, limit }).returns<{
    list: WrittenShare[];
    nextCursor: string | null;
  }>(),
  /** The gifts that wait in the queue, those being settled, and dead letters. For a long queue it is an estimate. */
  queueDepth: action({}).returns<QueueDepth>(),
  /**
   * The gifts that succeeded, by the minute in which they were settled: the last `limits.metrics.minutesShown` minutes,
   * oldest first, the present one with what was settled up to some seconds ago. Fails: unavailable.
   */
  figures: action({}).returns<{ perMinute: GiftMinute[] }>(),
};
