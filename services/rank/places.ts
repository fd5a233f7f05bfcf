import { limits } from "../../config/limits.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import type { Board } from "./boards.ts";
import { countBefore, type Sum } from "./totals-store.ts";

/** Whether one sum is before another one of its board. */
function isBefore(one: Sum, other: Sum): boolean {
  if (one.coins !== other.coins) return one.coins > other.coins;
  if (one.reachedMs !== other.reachedMs) return one.reachedMs < other.reachedMs;
  return BigInt(one.userId) < BigInt(other.userId);
}

/**
 * The place of a sum, counted from the last fence before it on; null beyond `limits.rank.placesCounted`. It is as old as
 * the fences where others have passed them since.
 *
 * @param fences see `fencesOf`
 */
export async function placeBy(
  db: Queryable,
  generation: number,
  board: Board,
  { fences, sum }: { fences: readonly Sum[]; sum: Sum },
): Promise<number | null> {
  const { fenceEntries, placesCounted } = limits.rank;
  const passed = fences.findLastIndex((fence) => isBefore(fence, sum));
  const start = Math.max(0, passed) * fenceEntries;
  const before = await countBefore(db, generation, board, sum, {
    fence: fences[passed],
    most: placesCounted - start,
  });
  return start + before < placesCounted ? start + before + 1 : null;
}
