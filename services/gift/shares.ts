import { fail } from "../../broker/failure.ts";
import type { NamedKeys } from "../../config/named-keys.ts";
import { type Database, isDuplicateKey } from "../../mixins/mysql/database.ts";
import { type ShareFields, type ShareVerdict, type SignedShare, signShare } from "../signed-shares.ts";
import type { WrittenShare } from "./gift.contract.ts";
import { insertShare, timeOfShares } from "./share-store.ts";

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

/** A row for people, without its signature. */
export const shownShare = (share: SignedShare & { verdict: ShareVerdict; inForce: boolean }): WrittenShare => ({
  anchorId: share.anchorId,
  percent: share.percent,
  from: share.from.toISOString(),
  operator: share.operator,
  written: share.written.toISOString(),
  verdict: share.verdict,
  inForce: share.inForce,
});
