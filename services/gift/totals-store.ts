import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";
import type { SideTotals } from "./gift.contract.ts";

/** The SQL that adds up gift records. */

interface Wanted {
  readonly sides: readonly Side[];
  /** The first time, and the first one that does not count; ISO. */
  readonly from: string;
  readonly until: string;
  /** Orders that do not count. */
  readonly without: readonly string[];
}

interface Side {
  readonly roomId: number;
  readonly receiverId: string;
}

/** See `gift.totals`. @throws RangeError where a sum is no safe integer. */
export function totalsOfSides(db: Queryable, { sides, ...wanted }: Wanted): Promise<SideTotals[]> {
  return Promise.all(sides.map((side) => totalsOf(db, side, wanted)));
}

/**
 * One pass over the entries of the receiver and the span in `idx_object`, and their rows. What she received in another
 * room is read and left out.
 */
async function totalsOf(
  db: Queryable,
  { roomId, receiverId }: Side,
  { from, until, without }: Omit<Wanted, "sides">,
): Promise<SideTotals> {
  const rows = await db.query<{ user_id: string; coins: string; score: string; gifts: string }>(
    `WITH by_sender AS (
       SELECT user_id, SUM(price * count) AS coins, COUNT(*) AS gifts FROM t_gift_record FORCE INDEX (idx_object)
       WHERE object_id = ? AND send_time >= ? AND send_time < ? AND room_id = ? AND status = 1
         ${without.length > 0 ? "AND order_id NOT IN (?)" : ""}
       GROUP BY user_id)
     SELECT user_id, coins, SUM(coins) OVER () AS score, SUM(gifts) OVER () AS gifts
     FROM by_sender ORDER BY coins DESC, user_id LIMIT 3`,
    [receiverId, new Date(from), new Date(until), roomId, ...(without.length > 0 ? [without] : [])],
  );
  return {
    score: toSafeInteger(rows[0]?.score ?? 0),
    gifts: toSafeInteger(rows[0]?.gifts ?? 0),
    topSenders: rows.map(({ user_id, coins }) => ({ userId: String(user_id), coins: toSafeInteger(coins) })),
  };
}
