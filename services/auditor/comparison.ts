import { setTimeout as pause } from "node:timers/promises";
import { limits } from "../../config/limits.ts";
import type { Database, Queryable } from "../../mixins/mysql/database.ts";
import { archivedTables } from "../archived-tables.ts";
import type { BookKeys } from "../book-keys.ts";
import { type LedgerName, type SealingService, sealedLedgers } from "../book-seals.ts";
import { activeAccountsCheck, balancesCheck, continuityCheck } from "./checks/accounts-store.ts";
import { archiveSumsCheck } from "./checks/archive-sums-store.ts";
import { allLinksCheck, newLinksCheck, seenHeadsCheck } from "./checks/chains.ts";
import type { Check, Page, Range } from "./checks/check.ts";
import { checkpointsCheck, lateCheckpointCheck } from "./checks/checkpoints.ts";
import { chargedGiftsCheck, recordedGiftsCheck } from "./checks/gifts-store.ts";
import { heldGiftsCheck, holdsCheck } from "./checks/holds-store.ts";
import { earningsCheck, totalsCheck } from "./checks/incomes-store.ts";
import { keptSharesCheck } from "./checks/kept-shares.ts";
import { creditsCheck, ordersCheck } from "./checks/payments-store.ts";
import { orderedCoinsCheck, orderedPayoutsCheck, platformOrdersCheck } from "./checks/platform-orders-store.ts";
import { sealRowsCheck } from "./checks/seal-rows.ts";
import type { SealSource } from "./checks/seal-source.ts";
import { segmentRowsCheck } from "./checks/segment-rows.ts";
import { segmentsCheck } from "./checks/segments.ts";
import { sharesCheck } from "./checks/shares-store.ts";
import { staffMovesCheck } from "./checks/staff-moves-store.ts";
import { staffOrdersCheck, staffOutcomesCheck } from "./checks/staff-orders-store.ts";
import { catalogueCheck, giftTermsCheck, orderTermsCheck } from "./checks/terms-store.ts";
import { type Difference, keyOf } from "./differences.ts";

/** What is compared, and how a comparison runs. */

export interface CompareOptions {
  /** Where the books are read. */
  readonly books: Database;
  /**
   * The auditor's own database: `seen` has what the auditor has seen, `audit` the seals of its own audit. `null`: neither
   * is compared.
   */
  readonly own: { readonly seen: Queryable; readonly audit: Database } | null;
  readonly keys: Readonly<Record<SealingService | "archiver", BookKeys>>;
  /** See SealCheckOptions. */
  readonly everyRow: boolean;
  /** See limits.books.underWayMs. */
  readonly underWayMs: number;
}

/** Every check. Those of the chains come first: what they find explains the others. */
export function checksOf({ books, own, keys, everyRow, underWayMs }: CompareOptions): Check[] {
  const ledgers = Object.keys(sealedLedgers) as LedgerName[];
  const services = [...new Set(ledgers.map((ledger) => sealedLedgers[ledger].service))];
  const seals = services.flatMap((service): Check[] => {
    const db = service === "auditor" ? own?.audit : books;
    if (!db) return [];
    const source: SealSource = { service, db, keys: keys[service] };
    const seen = own?.seen ?? null;
    return [
      newLinksCheck(source, seen),
      allLinksCheck(source, seen),
      ...(seen ? [seenHeadsCheck(source, seen)] : []),
      checkpointsCheck(source, seen),
      // A command that reads every row also judges the books of a system that stands still.
      ...(everyRow ? [] : [lateCheckpointCheck(source)]),
      ...ledgers
        .filter((ledger) => sealedLedgers[ledger].service === service)
        .map((ledger) => sealRowsCheck(source, ledger, { everyRow })),
    ];
  });
  const seen = own?.seen ?? null;
  return [
    ...seals,
    ...archivedTables.map((archived) => segmentsCheck(books, archived, keys.archiver, seen)),
    ...archivedTables.map((archived) => segmentRowsCheck(books, archived, { everyRow })),
    archiveSumsCheck(books, everyRow),
    activeAccountsCheck(books),
    continuityCheck(books),
    balancesCheck(books),
    chargedGiftsCheck(books, underWayMs, everyRow),
    recordedGiftsCheck(books, everyRow),
    creditsCheck(books, everyRow),
    ordersCheck(books, underWayMs, everyRow),
    orderedCoinsCheck(books, everyRow),
    orderedPayoutsCheck(books),
    platformOrdersCheck(books, underWayMs, everyRow),
    staffMovesCheck(books, underWayMs),
    staffOrdersCheck(books),
    staffOutcomesCheck(books),
    catalogueCheck(books, keys),
    orderTermsCheck(books, keys),
    giftTermsCheck(books, keys, everyRow),
    sharesCheck(books, keys.gift),
    totalsCheck(books),
    ...(seen && !everyRow ? [keptSharesCheck(books, seen)] : []),
    earningsCheck(books, everyRow ? null : seen),
    holdsCheck(books),
    heldGiftsCheck(books),
  ];
}

/** What a run asks of its surroundings. */
export interface RunPorts {
  /** Differences that were found twice. Returns whether all of them are kept. */
  found(differences: readonly Difference[], check: Check): Promise<boolean>;
  /** After each page, with its time in ms: rests, and rejects where the run must stop. */
  pageDone(check: Check, page: Page, tookMs: number): Promise<void>;
  readonly secondLookMs: number;
  /** Whether a difference has counted before: it needs no second look. */
  isKnown(difference: Difference): boolean;
}

/**
 * Reads a page. What differs counts if it still does at a second look: two databases, or a replica, may show two
 * moments.
 */
async function confirmedPage(check: Check, range: Range, ports: RunPorts): Promise<Page & { cut: boolean }> {
  const page = await check.page(range);
  const first = { ...page, cut: page.differences.length >= limits.books.findingsPerPage };
  if (first.differences.every((one) => ports.isKnown(one))) return first;
  await pause(ports.secondLookMs);
  const second = await check.page(range);
  const still = new Set(second.differences.map(keyOf));
  return { ...first, differences: first.differences.filter((one) => still.has(keyOf(one))) };
}

export interface RunResult {
  readonly rows: number;
  readonly differences: number;
  /** Whether there may be more differences than were looked for or kept. */
  readonly cut: boolean;
}

/** Runs one check from where a time begins, or over everything. Rejects where the database or a port does. */
export async function runCheck(check: Check, since: Date | null, ports: RunPorts): Promise<RunResult | undefined> {
  const range = await check.range(since);
  if (!range) return undefined;
  let from: string | null = range.from;
  let [rows, differences, cut] = [0, 0, false];
  while (from !== null) {
    const began = performance.now();
    const page = await confirmedPage(check, { ...range, from }, ports);
    rows += page.rows;
    differences += page.differences.length;
    const kept = page.differences.length === 0 || (await ports.found(page.differences, check));
    cut ||= page.cut || !kept;
    from = page.next;
    await ports.pageDone(check, page, performance.now() - began);
  }
  return { rows, differences, cut };
}
