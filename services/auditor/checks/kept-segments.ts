import type { Queryable } from "../../../mixins/mysql/database.ts";
import { archivedTrades } from "../../archived-tables.ts";
import { seenSegments } from "../seen-segments-store.ts";
import { type StoredSegment, storedSegments } from "./segments-store.ts";

interface ClosedSegment extends StoredSegment {
  /** Whether its shares are kept. */
  readonly summed: boolean;
}

/** The closed segments of trades with the seals that the auditor has seen. `own`: its database. */
export async function closedSegments(db: Queryable, own: Queryable): Promise<ClosedSegment[]> {
  const seen = await seenSegments(own, archivedTrades.table);
  return (await storedSegments(db, archivedTrades)).flatMap((stored) => {
    const one = seen.get(stored.segment);
    const isSeen = one !== undefined && stored.state === "closed" && stored.sealed?.seal.equals(one.seal);
    return isSeen ? [{ ...stored, summed: one.summed }] : [];
  });
}

/** The closed segments of trades whose shares are kept, as they were sealed when these were added up. */
export const keptSegments = async (db: Queryable, own: Queryable): Promise<StoredSegment[]> =>
  (await closedSegments(db, own)).filter(({ summed }) => summed);
