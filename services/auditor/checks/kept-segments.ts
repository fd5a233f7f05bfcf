import type { Queryable } from "../../../mixins/mysql/database.ts";
import { archivedTrades } from "../../archived-tables.ts";
import { seenSegments } from "../seen-segments-store.ts";
import { type StoredSegment, storedSegments } from "./segments-store.ts";

/** The closed segments of trades whose shares are kept, as they were sealed when these were added up. */
export async function keptSegments(db: Queryable, own: Queryable): Promise<StoredSegment[]> {
  const seen = await seenSegments(own, archivedTrades.table);
  return (await storedSegments(db, archivedTrades)).filter(({ segment, state, sealed }) => {
    const one = seen.get(segment);
    return state === "closed" && one?.summed === true && sealed?.seal.equals(one.seal) === true;
  });
}
