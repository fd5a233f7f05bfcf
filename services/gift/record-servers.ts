import type { Service } from "moleculer";
import { fail, isUnavailable } from "../../broker/failure.ts";
import { type ArchiveFilters, openFilters } from "../../mixins/archive/filters.ts";
import { NotLoaded } from "../../mixins/batch-loader.ts";
import type { Database, Queryable } from "../../mixins/mysql/database.ts";
import { type ServerPresence, whilePresent } from "../../mixins/mysql/server-presence.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { archiveFilterBytes } from "../archive-settings.ts";
import { archivedRecords } from "../archived-tables.ts";
import { migrationFolders } from "../databases.ts";
import { type MixinsAt, openFurther } from "../further-server.ts";
import { fenceServers, tellServersOf } from "../server-fence.ts";
import { numbersOf, requireSelf } from "../server-names-store.ts";
import { furtherServers, idBase, serverOfId, walletServers } from "../wallet-servers.ts";
import { BucketServers } from "./bucket-servers.ts";
import type { GiftRecord, SettledPage } from "./gift.contract.ts";
import { findContentHashes, findRecord, type RecordsAsked } from "./gift-store.ts";
import { recordsPage } from "./records-page.ts";
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
  /** Whether a further server is there; the service itself stands or falls with the home server. */
  readonly presence?: ServerPresence;
}

/** An order and its sender. */
export interface OrderOf {
  readonly orderId: string;
  readonly userId: string;
}

export class RecordServers {
  /** The home server first. */
  readonly all: readonly [RecordServer, ...RecordServer[]];
  private readonly closing: readonly (() => Promise<void>)[];
  /** Where there are several. */
  private readonly buckets: Pick<BucketServers, "mayHave"> | undefined;

  private constructor(
    all: readonly [RecordServer, ...RecordServer[]],
    closing: readonly (() => Promise<void>)[],
    buckets?: Pick<BucketServers, "mayHave">,
  ) {
    this.all = all;
    this.closing = closing;
    this.buckets = buckets;
  }

  /**
   * Opens the servers of WALLET_MYSQL_URLS, each with `mixinsAt`; further ones may be away. Rejects where the setting is not
   * what the home server knows.
   */
  static async open(gift: Service & MysqlState, mixinsAt: MixinsAt): Promise<RecordServers> {
    const further = furtherServers("gift");
    const numbers = await numbersOf(gift.mysql, further);
    const name = walletServers()?.[0].name ?? "home";
    const fence = fenceServers(gift, gift.mysql);
    const closing: (() => Promise<void>)[] = [() => fence.stop()];
    const filtersOf = async (view: Service & MysqlState, mayBeAway: boolean): Promise<ArchiveFilters> => {
      const archive = await openFilters(view, archivedRecords, archiveFilterBytes(1 + further.length), { mayBeAway });
      closing.unshift(() => archive.stop());
      return archive;
    };
    const opened: RecordServer[] = [];
    try {
      const home: RecordServer = { name, number: 0, url: undefined, view: gift, archive: await filtersOf(gift, false) };
      if (further.length === 0) return new RecordServers([home], closing);
      await requireSelf(gift.mysql, name);
      opened.push(home);
      for (const server of further) {
        const { view, presence, close } = await openFurther<MysqlState>(gift, server, migrationFolders.gift, mixinsAt);
        closing.unshift(close);
        const number = numbers.get(server.name) as number;
        opened.push({ ...server, number, view, presence, archive: await filtersOf(view, true) });
      }
    } catch (error) {
      for (const close of closing) await close();
      throw error;
    }
    const all = opened.toSorted((a, b) => a.number - b.number) as [RecordServer, ...RecordServer[]];
    tellServersOf(gift);
    const buckets = new BucketServers(gift);
    closing.unshift(() => buckets.stop());
    return new RecordServers(all, closing, buckets);
  }

  async close(): Promise<void> {
    for (const close of this.closing) await close();
  }

  /** Whether a gift's record is on one of several servers. */
  get isSeveral(): boolean {
    return this.buckets !== undefined;
  }

  /**
   * Runs work on the server of a name; on the home server, where the wallet has one server and names none. Fails:
   * unavailable, where the server is away, or the setting of this node lacks the name.
   */
  async at<T>(name: string | undefined, work: (db: Database) => Promise<T>): Promise<T> {
    const server = name === undefined ? this.all[0] : this.all.find((one) => one.name === name);
    // An outage, not a fault of the gift: it is charged, and is tried again until this node has the server.
    if (!server)
      throw fail("unavailable", {
        cause: `a gift was charged on server ${name}, which WALLET_MYSQL_URLS of this node lacks`,
      });
    return whilePresent(server.presence, () => work(server.view.mysql));
  }

  /** Asks all servers at once. Fails: unavailable, where one is away. */
  each<T>(ask: (db: Queryable, server: RecordServer) => Promise<T>, servers = this.all as readonly RecordServer[]) {
    return Promise.all(servers.map((server) => whilePresent(server.presence, () => ask(server.view.mysql, server))));
  }

  /**
   * What one of the servers has; of a user whose servers are known these alone are asked. Fails: unavailable, where none of
   * those that answer has it and another one is away.
   */
  async first<T>(
    ask: (db: Queryable, server: RecordServer) => Promise<T | undefined>,
    userId?: string,
  ): Promise<T | undefined> {
    const answers = await Promise.allSettled(this.withRowsOf(userId).map((server) => this.each(ask, [server])));
    for (const answer of answers)
      if (answer.status === "fulfilled" && answer.value[0] !== undefined) return answer.value[0];
    for (const answer of answers) if (answer.status === "rejected") throw answer.reason;
    return undefined;
  }

  /** The servers that may have records of a user; all, where she is not known. */
  private withRowsOf(userId: string | undefined): readonly RecordServer[] {
    const { buckets } = this;
    if (!buckets || userId === undefined) return this.all;
    return this.all.filter(({ name }) => buckets.mayHave(name, userId));
  }

  /** The record of an order; `userId`: its sender, where she is known. */
  findRecord(orderId: string, userId?: string): Promise<GiftRecord | undefined> {
    return this.first((db, { archive }) => findRecord(db, archive, orderId), userId);
  }

  /**
   * The content hashes of the settled ones among the orders. Of an order that may be on a server that is away the error, so
   * that other users' orders are not concerned. Fails: unavailable, where the home server is away and is the only one.
   */
  async contentHashes(orders: readonly OrderOf[]): Promise<Map<string, string | NotLoaded>> {
    const found = new Map<string, string | NotLoaded>();
    await Promise.all(
      this.all.map(async (server) => {
        const own = orders.filter(({ userId }) => this.buckets?.mayHave(server.name, userId) ?? true);
        const ids = own.map(({ orderId }) => orderId);
        if (ids.length === 0) return;
        try {
          const [hashes] = await this.each((db, { archive }) => findContentHashes(db, archive, ids), [server]);
          for (const [orderId, hash] of hashes ?? []) found.set(orderId, hash);
        } catch (error) {
          if (!this.isSeveral || !isUnavailable(error)) throw error;
          for (const orderId of ids) if (!found.has(orderId)) found.set(orderId, new NotLoaded(error));
        }
      }),
    );
    return found;
  }

  /** See records-page.ts. Received gifts are where their senders are, so all servers are asked. */
  page(asked: RecordsAsked) {
    return recordsPage({ asked, all: this.all }, asked.direction === "sent" ? this.withRowsOf(asked.userId) : this.all);
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
    const home = this.all[0].view.mysql;
    const page = await whilePresent(server.presence, () =>
      settledPage(server.view.mysql, home, { since, ...(begins ? {} : { until, cursor }) }),
    );
    const next = this.all[this.all.indexOf(server) + 1];
    return page.nextCursor !== null || !next ? page : { ...page, nextCursor: String(idBase(next.number)) };
  }
}
