import { z } from "zod";
import { action } from "../action-contract.ts";
import { id, isoTime, userId } from "../fields.ts";

/** The rank service as other services see it. With RANKS=off its actions fail as notFound. */

/** A list of givers or anchors, the first 100. */
export interface Rank {
  list: { rank: number; userId: string; nickName: string; avatar: string; coins: number }[];
  /** The caller's place; `rank` is null beyond `limits.rank.placesCounted` and without a gift. */
  me: { rank: number | null; coins: number };
}

export interface RankJob {
  state: "running" | "done" | "failed";
  /** Gifts settled before are left out; null: none. */
  since: string | null;
  /** Where it is and ends, as record ids; null: not begun. */
  cursor: string | null;
  until: string | null;
  /** Gifts that were read, and those of them that were not counted before. */
  gifts: number;
  counted: number;
  begun: string;
  ended: string | null;
  /** Why it does not get on, or failed. */
  trouble: string | null;
}

export interface RankVerification extends Omit<RankJob, "counted"> {
  /** Sums of users on boards that were compared; null until it has ended. */
  compared: number | null;
  differences: number | null;
  /** The first of them. */
  shown: string[];
}

const span = z.enum(["day", "week", "month", "all"]);

export const rankActions = {
  /**
   * Who has given most in a room in this broadcast. Answers are at most `limits.rank.listCacheMs` behind what is counted.
   * Fails: notFound (RANKS=off), unavailable.
   */
  room: action({ userId, roomId: id }).returns<Rank>(),
  /** Who has given most to an anchor, in the day, week or month that it is now by the database's clock. Fails as `room`. */
  anchor: action({ userId, anchorId: userId, span }).returns<Rank>(),
  /** The anchors who got most, or the senders who gave most, as `anchor`. Fails as `room`. */
  global: action({ userId, by: z.enum(["anchors", "senders"]), span }).returns<Rank>(),
  /** What is counted, and the last rebuild and verification. Fails as `room`. */
  status: action({}).returns<{
    generation: number;
    zone: string;
    /** PLATFORM_TIMEZONE of the node that answers: where it differs, a rebuild from nothing takes it over. */
    wantedZone: string;
    /** Sums of users on boards, as the database estimates them: MySQL's estimate is up to a day old. */
    totals: number;
    rebuild: RankJob | null;
    verification: RankVerification | null;
  }>(),
  /**
   * Asks for a rebuild from the gift records; durable when it returns. It counts what is not counted, and nothing twice,
   * while events go on. Without `from` of all gifts. `anew`: from nothing, in a new generation, with this node's
   * PLATFORM_TIMEZONE; lists grow from empty. One that runs is given up only for one of all gifts; with `from` the one
   * that is asked for follows it. Fails as `room`.
   */
  rebuild: action({ from: isoTime.optional(), anew: z.boolean().default(false) }).returns<null>(),
  /**
   * Asks for a verification: recomputes all sums of what is counted from the gift records. Durable when it returns; one
   * that runs goes on. Fails as `room`.
   */
  verify: action({}).returns<null>(),
};
