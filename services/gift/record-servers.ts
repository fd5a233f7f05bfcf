import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { type ArchiveFilters, openFilters } from "../../mixins/archive/filters.ts";
import type { Database, Queryable } from "../../mixins/mysql/database.ts";
import { openView } from "../../mixins/mysql/server-view.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { archiveFilterBytes } from "../archive-settings.ts";
import { archivedRecords } from "../archived-tables.ts";
import { fenceServers, tellServersOf } from "../server-fence.ts";
import { numbersOf, requireSelf } from "../server-names-store.ts";
import { furtherServers, idBase, serverOfId, type WalletServer, walletServers } from "../wallet-servers.ts";
import type { GiftRecord, SettledPage } from "./gift.contract.ts";
import { findContentHashes, findRecord, pageOfRecords, type RecordsAsked, timeOf } from "./gift-store.ts";
import { settledPage } from "./settled-page.ts";

/**
 * The gift records on one server or several: a record is on the server of its charge, which the wallet names. The home
 * server alone has the catalogue. Ids of records say where they are (services/wallet-servers.ts).
 */

/** The gift service on one server. */
export interface RecordServer {
  readonly name: string;
  readonly number: number;
  readonly url: string | undefined;
  readonly view: Service & MysqlState;
  /** Of the records that are archived there. */
  readonly archive: ArchiveFilters;
}

export class RecordServers {
  /** The home server first. */
  readonly all: readonly [RecordServer, ...RecordServer[]];
  private readonly closing: readonly (() => Promise<void>)[];

  private constructor(all: readonly [RecordServer, ...RecordServer[]], closing: readonly (() => Promise<void>)[]) {
    this.all = all;
    this.closing = closing;
  }

  /**
   * Opens the servers of WALLET_MYSQL_URLS, each with `mixinsAt`. Rejects where the setting is not what the home server
   * knows.
   */
  static async open(
    gift: Service & MysqlState,
    mixinsAt: (server: WalletServer) => readonly object[],
  ): Promise<RecordServers> {
    const further = furtherServers("gift");
    const numbers = await numbersOf(gift.mysql, further);
    const name = walletServers()?.[0].name ?? "home";
    const fence = fenceServers(gift, gift.mysql);
    const closing: (() => Promise<void>)[] = [() => fence.stop()];
    const filtersOf = async (view: Service & MysqlState): Promise<ArchiveFilters> => {
      const archive = await openFilters(view, archivedRecords, archiveFilterBytes(1 + further.length));
      closing.unshift(() => archive.stop());
      return archive;
    };
    const opened: RecordServer[] = [];
    try {
      const home: RecordServer = { name, number: 0, url: undefined, view: gift, archive: await filtersOf(gift) };
      if (further.length === 0) return new RecordServers([home], closing);
      await requireSelf(gift.mysql, name);
      opened.push(home);
      for (const server of further) {
        const { view, close } = await openView<MysqlState>(gift, server.name, mixinsAt(server));
        closing.unshift(close);
        await requireSelf(view.mysql, server.name);
        const number = numbers.get(server.name) as number;
        opened.push({ ...server, number, view, archive: await filtersOf(view) });
      }
    } catch (error) {
      for (const close of closing) await close();
      throw error;
    }
    const all = opened.toSorted((a, b) => a.number - b.number) as [RecordServer, ...RecordServer[]];
    tellServersOf(gift);
    return new RecordServers(all, closing);
  }

  async close(): Promise<void> {
    for (const close of this.closing) await close();
  }

  /**
   * The database of a server by its name; the home server's, where the wallet has one server and names none. Fails:
   * unavailable, where the setting of this node lacks the name.
   */
  named(name: string | undefined): Database {
    const server = name === undefined ? this.all[0] : this.all.find((one) => one.name === name);
    // An outage, not a fault of the gift: it is charged, and is tried again until this node has the server.
    if (!server)
      throw fail("unavailable", {
        cause: `a gift was charged on server ${name}, which WALLET_MYSQL_URLS of this node lacks`,
      });
    return server.view.mysql;
  }

  /** Asks all servers at once. */
  each<T>(ask: (db: Queryable, server: RecordServer) => Promise<T>): Promise<T[]> {
    return Promise.all(this.all.map((server) => ask(server.view.mysql, server)));
  }

  /** What one of the servers has. */
  async first<T>(ask: (db: Queryable, server: RecordServer) => Promise<T | undefined>): Promise<T | undefined> {
    return (await this.each(ask)).find((found) => found !== undefined);
  }

  findRecord(orderId: string): Promise<GiftRecord | undefined> {
    return this.first((db, { archive }) => findRecord(db, archive, orderId));
  }

  /** The content hashes of the settled ones among the orders. */
  async contentHashes(orderIds: readonly string[]): Promise<Map<string, string>> {
    const found = await this.each((db, { archive }) => findContentHashes(db, archive, orderIds));
    return new Map(found.flatMap((one) => [...one]));
  }

  /**
   * A page of a user's records, newest first: of several servers by the times of the gifts, and then by the ids.
   */
  async page(asked: RecordsAsked): Promise<{ list: GiftRecord[]; nextCursor: string | null }> {
    const [home, ...others] = this.all;
    if (others.length === 0) return pageOfRecords(home.view.mysql, asked);
    const { cursor, limit } = asked;
    const own = cursor === undefined ? undefined : this.all.find(({ number }) => number === serverOfId(cursor));
    const at = cursor && own ? await timeOf(own.view.mysql, cursor) : undefined;
    if (cursor !== undefined && !at) return { list: [], nextCursor: null };
    const pages = await this.each((db) => pageOfRecords(db, { ...asked, at, byTime: true }));
    const found = pages.flatMap(({ list }) => list).sort(byTimeAndId);
    const list = found.slice(0, limit);
    const more = found.length > limit || pages.some(({ nextCursor }) => nextCursor !== null);
    return { list, nextCursor: more ? (list.at(-1)?.id ?? null) : null };
  }

  /** See `gift.settledSince`: one server after the other. */
  async settledSince(asked: {
    since: Date;
    until?: string | undefined;
    cursor?: string | undefined;
  }): Promise<SettledPage> {
    const { since, until, cursor } = asked;
    const server = this.all.find(({ number }) => number === (cursor === undefined ? 0 : serverOfId(cursor)));
    const none = { gifts: [], nextCursor: null, until: until ?? "0" };
    if (!server) return none;
    // The first page of a further server: its end is not known yet.
    const begins = server.number > 0 && cursor === String(idBase(server.number));
    const page = await settledPage(server.view.mysql, this.all[0].view.mysql, {
      since,
      ...(begins ? {} : { until, cursor }),
    });
    const next = this.all[this.all.indexOf(server) + 1];
    return page.nextCursor !== null || !next ? page : { ...page, nextCursor: String(idBase(next.number)) };
  }
}

function byTimeAndId(a: GiftRecord, b: GiftRecord): number {
  if (a.time !== b.time) return a.time < b.time ? 1 : -1;
  return BigInt(a.id) < BigInt(b.id) ? 1 : -1;
}
