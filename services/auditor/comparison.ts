import { setTimeout as pause } from "node:timers/promises";
import { limits } from "../../config/limits.ts";
import type { Database, Queryable } from "../../mixins/mysql/database.ts";
import { archivedTables } from "../archived-tables.ts";
import type { AllBookKeys } from "../book-keys.ts";
import { type LedgerName, type SealingService, sealedLedgers } from "../book-seals.ts";
import { activeAccountsCheck, balancesCheck, continuityCheck } from "./checks/accounts-store.ts";
import { archiveSumsCheck } from "./checks/archive-sums-store.ts";
import {
  lookingElsewhere,
  ordersElsewhereCheck,
  paidOutCheck,
  payoutsElsewhereCheck,
} from "./checks/between-servers.ts";
import { carriedChecks } from "./checks/carried-store.ts";
import { allLinksCheck, newLinksCheck, seenHeadsCheck } from "./checks/chains.ts";
import type { Check, Page, Range } from "./checks/check.ts";
import { checkpointsCheck, lateCheckpointCheck } from "./checks/checkpoints.ts";
import { chargedGiftsCheck, recordedGiftsCheck } from "./checks/gifts-store.ts";
import { heldGiftsCheck, heldGiftsOnServersCheck, holdsCheck } from "./checks/holds-store.ts";
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
import { onTwoServersChecks } from "./checks/two-servers.ts";
import { type Difference, keyOf } from "./differences.ts";
import { checkAt, type FurtherBooks, seenOf } from "./further-books.ts";

/** What is compared, and how a comparison runs. */

export interface CompareOptions {
  /** Where the books are read. */
  readonly books: Database;
  /**
   * The auditor's own database: `seen` has what the auditor has seen, `audit` the seals of its own audit. `null`: neither
   * is compared.
   */
  readonly own: { readonly seen: Queryable; readonly audit: Database } | null;
  readonly keys: AllBookKeys;
  /** See SealCheckOptions. */
  readonly everyRow: boolean;
  /** See limits.books.underWayMs. */
  readonly underWayMs: number;
  /** The books on further servers. */
  readonly further?: readonly FurtherBooks[];
}

/** Every check, of the books on one server or on several. */
export function checksOf(options: CompareOptions): Check[] {
  const { books, own, keys, everyRow, further = [] } = options;
  const home = homeChecks(options);
  if (further.length === 0) return home;
  const all = [books, ...further.map((one) => one.books)];
  const servers = { home: books, further };
  return [
    ...home.map((check) => lookingElsewhere(check, books, all)),
    ...carriedChecks(books, servers, everyRow),
    paidOutCheck(books, all),
    ...onTwoServersChecks(books, servers, "home", everyRow),
    ...further.flatMap(({ name, books: there }) => onTwoServersChecks(there, servers, name, everyRow)),
    ...further.flatMap((one) => {
      const seen = own && { ...own, seen: seenOf(own.seen, one.name) };
      const there = { ...options, own: seen };
      const checks = [
        ...sealChecks("wallet", one.books, there),
        ...archiveChecks(one.books, there),
        ...ledgerChecks(one.books, there),
        ordersElsewhereCheck(one.books, books, everyRow),
        payoutsElsewhereCheck(one.books, books),
        holdsCheck(one.books, books),
        giftTermsCheck(one.books, keys, everyRow, books),
        ...carriedChecks(one.books, servers, everyRow),
        paidOutCheck(one.books, all),
      ];
      return checks.map((check) => checkAt(check, one.name));
    }),
  ];
}

const ledgers = Object.keys(sealedLedgers) as LedgerName[];

/** The checks of a service's seals, and of the rows that have them. */
function sealChecks(service: SealingService, db: Database, { own, keys, everyRow }: CompareOptions): Check[] {
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
}

/** The checks of a server's archives. */
function archiveChecks(books: Database, { own, keys, everyRow }: CompareOptions): Check[] {
  const seen = own?.seen ?? null;
  return [
    ...archivedTables.map((archived) => segmentsCheck(books, archived, keys.archiver, seen)),
    ...archivedTables.map((archived) => segmentRowsCheck(books, archived, { everyRow })),
    archiveSumsCheck(books, everyRow),
  ];
}

/** The checks of what a server's ledgers and records say of each other, archived ones too. */
function ledgerChecks(books: Database, options: CompareOptions): Check[] {
  const { own, underWayMs, everyRow, further = [] } = options;
  const kept = everyRow ? null : (own?.seen ?? null);
  const all = [options.books, ...further.map((one) => one.books)];
  return [
    activeAccountsCheck(books),
    continuityCheck(books),
    balancesCheck(books),
    chargedGiftsCheck(books, underWayMs, everyRow),
    recordedGiftsCheck(books, everyRow),
    totalsCheck(books),
    ...(kept ? [keptSharesCheck(books, kept)] : []),
    earningsCheck(books, kept),
    all.length > 1 ? heldGiftsOnServersCheck(books, all) : heldGiftsCheck(books),
  ];
}

/** The checks of the home server. Those of the chains come first: what they find explains the others. */
function homeChecks(options: CompareOptions): Check[] {
  const { books, own, keys, underWayMs, everyRow, further = [] } = options;
  const services = [...new Set(ledgers.map((ledger) => sealedLedgers[ledger].service))];
  // The differences of a page include rows that are on other servers, until `lookingElsewhere` takes them out.
  const most = further.length > 0 ? limits.books.pageRows : limits.books.findingsPerPage;
  const seals = services.flatMap((service) => {
    const db = service === "auditor" ? own?.audit : books;
    return db ? sealChecks(service, db, options) : [];
  });
  return [
    ...seals,
    ...archiveChecks(books, options),
    ...ledgerChecks(books, options),
    creditsCheck(books, everyRow),
    ordersCheck(books, underWayMs, everyRow, most),
    orderedCoinsCheck(books, everyRow, further.length > 0),
    orderedPayoutsCheck(books),
    platformOrdersCheck(books, underWayMs, everyRow, most),
    staffMovesCheck(books, underWayMs),
    staffOrdersCheck(books),
    staffOutcomesCheck(books, most),
    catalogueCheck(books, keys),
    orderTermsCheck(books, keys),
    giftTermsCheck(books, keys, everyRow),
    sharesCheck(books, keys.gift),
    holdsCheck(books),
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
