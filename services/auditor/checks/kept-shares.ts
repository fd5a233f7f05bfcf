import type { Database, Queryable } from "../../../mixins/mysql/database.ts";
import { archivedTrades } from "../../archived-tables.ts";
import { keepShares } from "../seen-segments-store.ts";
import type { Check } from "./check.ts";
import { isOfDueSegments } from "./day-parts.ts";
import { addShares } from "./incomes-store.ts";
import { closedSegments } from "./kept-segments.ts";

/**
 * The anchors' shares of closed segments: added up once, kept in the auditor's database, and added up again a part each
 * day. Their rows do not change any more, which other checks compare.
 */

/** Adds up the shares of closed segments of which none are kept, and of those of today's part. A page is a segment. */
export function keptSharesCheck(books: Database, own: Queryable): Check {
  return {
    ...{ name: "shares of archived gifts", rounds: false, passes: true },
    async range(since) {
      return since ? undefined : { from: "0" };
    },
    async page({ from }) {
      const closed = await closedSegments(books, own);
      const next = closed.find(
        ({ segment, summed }) => segment > Number(from) && (!summed || isOfDueSegments(segment)),
      );
      if (!next) return { rows: 0, differences: [], next: null };
      const shares = new Map<string, bigint>();
      const span = { from: next.from - 1n, to: next.to - 1n };
      const rows = await addShares(books, shares, { part: 0, parts: 1 }, span);
      await keepShares(own, archivedTrades.table, next.segment, shares);
      return { rows, differences: [], next: String(next.segment) };
    },
  };
}
