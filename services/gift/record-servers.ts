import type { Service } from "moleculer";
import { fail, isUnavailable } from "../../broker/failure.ts";
import { type ArchiveFilters, openFilters } from "../../mixins/archive/filters.ts";
import { NotLoaded } from "../../mixins/batch-loader.ts";
import type { Database, Queryable } from "../../mixins/mysql/database.ts";
import { whilePresent } from "../../mixins/mysql/server-presence.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { archiveFilterBytes } from "../archive-settings.ts";
import { archivedRecords } from "../archived-tables.ts";
import { migrationFolders } from "../databases.ts";
import { type MixinsAt, openFurther, showAway } from "../further-server.ts";
import { fenceServers, tellServersOf } from "../server-fence.ts";
import { numbersOf, requireSelf } from "../server-names-store.ts";
import { furtherServers, idBase, serverOfId, walletServers } from "../wallet-servers.ts";
import { BucketServers } from "./bucket-servers.ts";
import type { GiftRecord, SettledPage } from "./gift.contract.ts";
import { findContentHashes, findRecord, type RecordsAsked } from "./gift-store.ts";
import type { OrderOf, RecordServer } from "./record-server.ts";
import { type RecordsPage, recordsPage } from "./records-page.ts";
import { settledPage } from "./settled-page.ts";

/**
 * The gift records on one server or several: a record is on the server of its charge, which the wallet names. The home
 * server alone has the catalogue. Ids of records say where they are (services/wallet-servers.ts).
 */

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
    showAway(gift, gift.name, false);
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
   * What one of the servers has. Fails: unavailable, where none of those that answer has it and another one is away, which
   * may have rows of this user.
   */
  async first<T>(
    ask: (db: Queryable, server: RecordServer) => Promise<T | undefined>,
    userId?: string,
  ): Promise<T | undefined> {
    const answers = await this.eachThatMatters(ask, userId);
    return answers.find((answer) => answer !== undefined);
  }

  /**
   * The answers of the servers, of a user's rows: one that is away and has none of hers does not matter. All are asked, since
   * her bucket may have moved just now. Fails: unavailable, where one that matters is away and `isEnough` of none.
   */
  async eachThatMatters<T>(
    ask: (db: Queryable, server: RecordServer) => Promise<T>,
    userId: string | undefined,
    isEnough: (answer: T) => boolean = (answer) => answer !== undefined,
  ): Promise<T[]> {
    const asked = await Promise.allSettled(this.all.map((server) => this.each(ask, [server])));
    const answers = asked.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    for (const [at, answer] of asked.entries())
      if (answer.status === "rejected" && !answers.some(isEnough) && this.matters(answer.reason, at, [userId]))
        throw answer.reason;
    return answers;
  }

  /** Whether an error of a server concerns one of these users; `undefined`: anybody. */
  private matters(error: unknown, server: number, userIds: readonly (string | undefined)[]): boolean {
    const { buckets } = this;
    if (!buckets || !isUnavailable(error)) return true;
    const { name } = this.all[server] as RecordServer;
    return userIds.some((userId) => userId === undefined || buckets.mayHave(name, userId));
  }

  /** The record of an order; `userId`: its sender, where she is known. */
  findRecord(orderId: string, userId?: string): Promise<GiftRecord | undefined> {
    return this.first((db, { archive }) => findRecord(db, archive, orderId), userId);
  }

  /**
   * The content hashes of the settled ones among the orders. Of an order that may be on a server that is away the error, so
   * that other users' orders are not concerned. Fails: unavailable, where there is one server and it is away.
   */
  async contentHashes(orders: readonly OrderOf[]): Promise<Map<string, string | NotLoaded>> {
    const ids = orders.map(({ orderId }) => orderId);
    const asked = await Promise.allSettled(
      this.all.map((server) => this.each((db, { archive }) => findContentHashes(db, archive, ids), [server])),
    );
    const found = new Map<string, string | NotLoaded>();
    for (const answer of asked)
      if (answer.status === "fulfilled") for (const [orderId, hash] of answer.value[0] ?? []) found.set(orderId, hash);
    for (const [at, answer] of asked.entries()) {
      if (answer.status === "fulfilled") continue;
      if (!this.isSeveral || !isUnavailable(answer.reason)) throw answer.reason;
      for (const { orderId, userId } of orders)
        if (!found.has(orderId) && this.matters(answer.reason, at, [userId]))
          found.set(orderId, new NotLoaded(answer.reason));
    }
    return found;
  }

  /** A page of a user's records. Received gifts are where their senders are: any server that is away matters. */
  page(asked: RecordsAsked): Promise<RecordsPage> {
    return recordsPage(this, asked);
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
