import type { ArchiveFilters } from "../../mixins/archive/filters.ts";
import type { HeldFilters } from "../../mixins/archive/held-filters.ts";
import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";
import { debtIdsOf, tradeIdsOf } from "./business-ids.ts";
import type { Command, Prior } from "./posting.ts";
import { readPriors } from "./wallet-store.ts";

const none: ReadonlyMap<string, Prior> = new Map();

/**
 * The earlier rows of commands, for the transaction that holds these filters of the archive. Without `ofLedger` only those that
 * the unique key of the ledger would not find: of ids that a filter may have. They are looked for in the ledger too, unless
 * their segment is closed, since they may be moved at this moment.
 */
export async function priorsOf(
  tx: Transaction,
  commands: readonly Command[],
  ofLedger: boolean,
  held: Pick<HeldFilters, "suspects">,
): Promise<ReadonlyMap<string, Prior>> {
  const ids = tradeIdsOf(commands);
  const suspects = held.suspects(ids);
  if (ofLedger) return readPriors(tx, ids, debtIdsOf(commands), () => suspects);
  if (suspects.length === 0) return none;
  const open = suspects.flatMap(({ ids: own, isClosed }) => (isClosed ? [] : own));
  // Gifts alone come here, and they have no debts.
  return readPriors(tx, [...new Set(open)], [], () => suspects);
}

/** The earlier rows of commands on a server that does not write them any more: nothing need be held there. */
export function priorsLeft(
  db: Queryable,
  commands: readonly Command[],
  archive: Pick<ArchiveFilters, "lookups">,
): Promise<ReadonlyMap<string, Prior>> {
  return readPriors(db, tradeIdsOf(commands), debtIdsOf(commands), (missing) => archive.lookups(missing));
}
