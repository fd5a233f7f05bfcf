import { fail } from "../../broker/failure.ts";
import type { NamedKeys } from "../../config/named-keys.ts";
import { type Database, isDuplicateKey, type Queryable } from "../../mixins/mysql/database.ts";
import { type ShareFields, signShare } from "../signed-shares.ts";
import { insertShare, type ListedShare, listShares, timeOfShares } from "./share-store.ts";
import type { WrittenShare } from "./work.contract.ts";

/** A change of an anchor's share. Without `from` it is in force at once; `percent` null returns to the default. */
export interface ShareChange extends Pick<ShareFields, "anchorId" | "percent" | "operator"> {
  readonly from?: Date | undefined;
}

/**
 * Writes an anchor's share, signed; durable when it resolves, and in force on every node within a second. Fails:
 * invalidParam with `field: "from"` where that time is over; unavailable.
 */
export async function setShare(
  db: Pick<Database, "transaction">,
  keys: NamedKeys,
  { from, ...change }: ShareChange,
): Promise<ShareFields> {
  try {
    return await db.transaction(async (tx) => {
      const written = await timeOfShares(tx);
      if (from && from < written) throw fail("invalidParam", { field: "from" });
      const share = signShare(keys, { ...change, from: from ?? written, written });
      await insertShare(tx, share);
      return share;
    });
  } catch (error) {
    // Two changes of an anchor's share in the same millisecond.
    if (isDuplicateKey(error)) throw fail("unavailable", { anchorId: change.anchorId });
    throw error;
  }
}

/** See `gift.shares`. */
export async function sharesPage(
  db: Queryable,
  keys: NamedKeys,
  query: { anchorId?: string | undefined; cursor?: string | undefined; limit: number },
): Promise<{ list: WrittenShare[]; nextCursor: string | null }> {
  const rows = await listShares(db, keys, { ...query, limit: query.limit + 1 });
  const list = rows.slice(0, query.limit).map(shownShare);
  return { list, nextCursor: rows.length > query.limit ? (list.at(-1)?.id ?? null) : null };
}

/** A row for people, without its signature. */
const shownShare = (share: ListedShare): WrittenShare => ({
  id: share.id,
  anchorId: share.anchorId,
  percent: share.percent,
  from: share.from.toISOString(),
  operator: share.operator,
  written: share.written.toISOString(),
  verdict: share.verdict,
  inForce: share.inForce,
});
