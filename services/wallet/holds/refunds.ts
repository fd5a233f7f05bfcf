import { fail } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import type { LedgerServer, LedgerServers } from "../buckets/ledger-servers.ts";
import type { IncomePosting } from "../income/income-posting.ts";
import { postingsOfOrder } from "../income/income-store.ts";
import { Attribution, type EarlierRefund, type SpentGift } from "./attribution.ts";
import { type Before, entriesBefore, type Refund, readRefund, type StoredEntry, timeOfCredit } from "./hold-store.ts";

/**
 * Refunds and what their coins were spent on, on all servers of ledgers: the payer's bucket may have moved between credit,
 * gifts and refund. Of one server rows follow each other by their ids, and those of several by their times, as in a
 * statement. None of these rows changes, so neither does the answer.
 */

/** A refund, and the server where its row is: the payer's when it was made. */
export interface FoundRefund {
  readonly refund: Refund;
  readonly server: LedgerServer;
}

/** Whether the credit of a refunded order is on another server than its refund, and came before it. */
async function wasCreditedElsewhere(
  { all }: LedgerServers,
  server: LedgerServer,
  { orderId, time }: Pick<Refund, "orderId" | "time">,
): Promise<boolean> {
  for (const other of all.filter((one) => one !== server)) {
    const credited = await timeOfCredit(other.view.mysql, orderId);
    if (credited) return credited.getTime() <= time.getTime();
  }
  return false;
}

/** What a refund could not take back of coins that were spent by then. */
async function shortfallOf(
  servers: LedgerServers,
  server: LedgerServer,
  refund: Pick<Refund, "orderId" | "time" | "debt" | "shortfall">,
): Promise<number> {
  const { shortfall, debt } = refund;
  const isOpen = servers.isSeveral && debt > 0 && shortfall === 0;
  return isOpen && (await wasCreditedElsewhere(servers, server, refund)) ? debt : shortfall;
}

/** `undefined` where no ledger has (yet) a refund of the order. */
export async function refundOn(servers: LedgerServers, orderId: string): Promise<FoundRefund | undefined> {
  const found = await servers.first(async (server) => {
    const refund = await readRefund(server.view.mysql, orderId);
    return refund && { refund, server };
  });
  if (!found) return undefined;
  const { refund, server } = found;
  return { server, refund: { ...refund, shortfall: await shortfallOf(servers, server, refund) } };
}

/** Fails: refundUnknown. */
export async function findRefund(servers: LedgerServers, orderId: string): Promise<FoundRefund> {
  const found = await refundOn(servers, orderId);
  if (!found) throw fail("refundUnknown", { orderId });
  return found;
}

/** One server's entries of a payer, newest first, read page by page. */
class Entries {
  readonly server: LedgerServer;
  private readonly userId: string;
  private before: Before;
  private page: StoredEntry[] = [];
  private at = 0;
  private ended = false;

  constructor(server: LedgerServer, userId: string, before: Before) {
    this.server = server;
    this.userId = userId;
    this.before = before;
  }

  /** The newest that was not taken; `undefined` at the end. */
  async head(): Promise<StoredEntry | undefined> {
    if (this.at === this.page.length && !this.ended) {
      const { attributionPageRows: rows } = limits.wallet;
      this.page = await entriesBefore(this.server.view.mysql, this.userId, this.before, rows);
      this.at = 0;
      this.ended = this.page.length < rows;
      // What bounds the first page bounds the others too: the refund's time does not say where a page ended.
      const last = this.page.at(-1);
      if (last) this.before = { ...this.before, id: last.id };
    }
    return this.page[this.at];
  }

  take(): void {
    this.at++;
  }
}

/** The one whose head is the newest: by time, then by id. */
async function newestOf(lists: readonly Entries[]): Promise<{ list: Entries; head: StoredEntry } | undefined> {
  let newest: { list: Entries; head: StoredEntry } | undefined;
  for (const list of lists) {
    const head = await list.head();
    if (!head) continue;
    const ahead = newest ? head.entry.time.getTime() - newest.head.entry.time.getTime() : 1;
    if (!newest || ahead > 0 || (ahead === 0 && BigInt(head.id) > BigInt(newest.head.id))) newest = { list, head };
  }
  return newest;
}

/** A payer's gifts and refunds before a refund, newest first, at most `limits.wallet.attributionRowsMax`. */
async function* entriesBeforeRefund(
  servers: LedgerServers,
  { refund, server }: FoundRefund,
): AsyncGenerator<SpentGift | EarlierRefund> {
  const { userId, tradeId: id, time } = refund;
  const lists = servers.all.map(
    (one) => new Entries(one, userId, one === server ? { id } : { elsewhere: { id, time } }),
  );
  for (let seen = 0; seen < limits.wallet.attributionRowsMax; seen++) {
    const newest = await newestOf(lists);
    if (!newest) return;
    const { list, head } = newest;
    list.take();
    const { entry } = head;
    if (entry.kind === "gift") yield entry;
    else yield { kind: "refund", shortfall: await shortfallOf(servers, list.server, entry) };
  }
}

/** The gifts of a refund's shortfall, by the rule of attribution.ts, among the payer's last entries before it. */
export async function attribute(servers: LedgerServers, found: FoundRefund): Promise<Attribution> {
  const attribution = new Attribution(found.refund.shortfall);
  if (attribution.done) return attribution;
  for await (const entry of entriesBeforeRefund(servers, found)) {
    attribution.take(entry);
    if (attribution.done) break;
  }
  return attribution;
}

/** A hold or release of a refunded order, and the server that has it: the anchor's when she was held back. */
export interface PlacedPosting {
  readonly server: LedgerServer;
  readonly posting: IncomePosting;
}

export async function postingsOn(servers: LedgerServers, orderId: string): Promise<PlacedPosting[]> {
  const all = await servers.each(async (db: Queryable, server) =>
    (await postingsOfOrder(db, orderId)).map((posting) => ({ server, posting })),
  );
  return all.flat();
}
