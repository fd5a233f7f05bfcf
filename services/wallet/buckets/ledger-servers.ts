import { setTimeout as pause } from "node:timers/promises";
import type { Service } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { config } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import type { ArchiveFilters } from "../../../mixins/archive/filters.ts";
import type { Queryable, Transaction } from "../../../mixins/mysql/database.ts";
import { type ServerPresence, whilePresent } from "../../../mixins/mysql/server-presence.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import type { OutboxState } from "../../../mixins/outbox.mixin.ts";
import type { SealsState } from "../../../mixins/seals.mixin.ts";
import { storeBucketOf } from "../../wallet-buckets.ts";
import { idBase, serverOfId } from "../../wallet-servers.ts";
import type { LedgerWriter } from "../ledger-writer.ts";
import { BucketElsewhere } from "../writer-ports.ts";
import type { BucketMap } from "./bucket-map.ts";
import type { BucketWatch } from "./bucket-watch.ts";
import { lockGates } from "./gate-store.ts";
import { type ReadApart, type ReadUsers, readApart } from "./read-apart.ts";

/** The wallet on one server: its own database, outbox, seals, filters of archived trades and ledger writer. */
export type ServerView = Service &
  MysqlState &
  OutboxState &
  SealsState & { writer: LedgerWriter; archive: ArchiveFilters };

export interface LedgerServer {
  readonly name: string;
  readonly number: number;
  readonly view: ServerView;
  /** Whether a further server is there; the service itself stands or falls with the home server. */
  readonly presence?: ServerPresence;
}

interface Opened {
  readonly watch: BucketWatch;
  readonly servers: readonly [LedgerServer, ...LedgerServer[]];
}

/**
 * The servers of the ledgers, and which of them has a user. With one server there is no map, no gate and nothing to ask.
 */
export class LedgerServers {
  /** The home server first. */
  readonly all: readonly [LedgerServer, ...LedgerServer[]];
  private readonly watch: BucketWatch | undefined;
  /** Since when buckets were found closed. */
  private readonly closedAt = new Map<number, number>();

  private constructor(all: readonly [LedgerServer, ...LedgerServer[]], watch: BucketWatch | undefined) {
    this.all = all;
    this.watch = watch;
  }

  static one(view: ServerView): LedgerServers {
    return new LedgerServers([{ name: "home", number: 0, view }], undefined);
  }

  static several({ servers, watch }: Opened): LedgerServers {
    return new LedgerServers(servers, watch);
  }

  get isSeveral(): boolean {
    return this.watch !== undefined;
  }

  /** Whether a server, by its name, is one of them. */
  has(name: string): boolean {
    return this.all.some((server) => server.name === name);
  }

  /** Fails: unavailable, where the setting of this node lacks the name. */
  named(name: string): LedgerServer {
    const server = this.all.find((one) => one.name === name);
    if (!server) throw fail("unavailable", { cause: `server ${name} is not in WALLET_MYSQL_URLS of this node` });
    return server;
  }

  /** The map as this node knows it; `undefined` where there is one server. */
  get map(): BucketMap | undefined {
    return this.watch?.map;
  }

  /** The server that writes a user's rows, as far as this node knows. */
  of(userId: string): LedgerServer {
    if (!this.watch) return this.all[0];
    return this.named(this.watch.map.serverOf(storeBucketOf(userId)));
  }

  /** The servers with rows of a user: where they are written first, then those that her bucket has left. */
  withRowsOf(userId: string): [LedgerServer, ...LedgerServer[]] {
    const others = this.watch?.map.othersOf(storeBucketOf(userId)) ?? [];
    return [this.of(userId), ...others.map((name) => this.named(name))];
  }

  /** The server that gave the id of a row. */
  ofId(id: string): LedgerServer | undefined {
    return this.all.find(({ number }) => number === serverOfId(id));
  }

  /** Asks the servers one after the other, until one has an answer. */
  async first<T>(ask: (server: LedgerServer) => Promise<T | null | undefined>): Promise<T | undefined> {
    for (const server of this.all) {
      const found = await ask(server);
      if (found !== null && found !== undefined) return found;
    }
    return undefined;
  }

  /** Asks all servers at once. Fails: unavailable, where one is away. */
  each<T>(ask: (db: Queryable, server: LedgerServer) => Promise<T>): Promise<T[]> {
    return Promise.all(this.all.map((server) => whilePresent(server.presence, () => ask(server.view.mysql, server))));
  }

  /**
   * Runs `work` on the server of a user, and again where her bucket moves meanwhile. `requireHere` is its transaction's
   * first statement. Fails: unavailable, where the move takes too long.
   */
  async atServerOf<T>(
    userId: string,
    work: (server: LedgerServer, requireHere: (tx: Transaction) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const { watch } = this;
    if (!watch) return work(this.all[0], async () => {});
    const bucket = storeBucketOf(userId);
    return this.untilHere(bucket, false, () => {
      const wanted = new Map([[bucket, watch.map.revisionOf(bucket)]]);
      const server = this.of(userId);
      return whilePresent(server.presence, () =>
        work(server, async (tx) => {
          if ((await lockGates(tx, wanted)).size > 0) throw new BucketElsewhere(userId);
        }),
      );
    });
  }

  /** As `read`, apart for each server and bucket: of users of whom nothing can be read now the reason. */
  async readApart<T>(userIds: readonly string[], read: ReadUsers<T>, othersWait = true): Promise<ReadApart<T>> {
    if (this.watch) return readApart(this, userIds, read, othersWait);
    return { found: await read(this.all[0].view.mysql, [...userIds]), missing: new Map() };
  }

  /**
   * Reads what servers have of users, each of her own server. What is read while a bucket moves is read again. Fails:
   * unavailable, where the move takes too long.
   */
  async read<T>(userIds: readonly string[], read: ReadUsers<T>): Promise<T[]> {
    const { found, missing } = await this.readApart(userIds, read, false);
    for (const why of missing.values()) throw why;
    return [...found];
  }

  /**
   * Runs `work`, which is about users of one bucket (`undefined`: of several), and again after a pause while it finds a
   * bucket elsewhere than the map says. `othersWait`: users of other buckets wait for this one, so it gives up
   * `limits.wallet.closedBucketMs` after the bucket was first found closed. Fails: unavailable, where the move takes too
   * long.
   */
  async untilHere<T>(bucket: number | undefined, othersWait: boolean, work: () => Promise<T>): Promise<T> {
    const begunAt = performance.now();
    for (;;) {
      try {
        const result = await work();
        if (bucket !== undefined) this.closedAt.delete(bucket);
        return result;
      } catch (error) {
        if (!(error instanceof BucketElsewhere)) throw error;
        const now = performance.now();
        const closedAt = (bucket === undefined ? undefined : this.closedAt.get(bucket)) ?? now;
        if (bucket !== undefined) this.closedAt.set(bucket, closedAt);
        const isLate = othersWait
          ? now - closedAt > limits.wallet.closedBucketMs
          : now - begunAt > config().CALL_TIMEOUT_MS * limits.wallet.staleShareOfTimeout;
        if (isLate) throw fail("unavailable", { cause: "the user's bucket moves" });
        await pause(limits.wallet.bucketRetryMs);
        await this.watch?.refresh();
      }
    }
  }

  /**
   * A page of a list that goes through the servers one after the other, by the ids of their rows. `read` gets no cursor at
   * a server's beginning.
   */
  async inTurn<Page extends { nextCursor: string | null }>(
    cursor: string | undefined,
    read: (db: Queryable, cursor: string | undefined) => Promise<Page>,
  ): Promise<Page> {
    const server = cursor === undefined ? this.all[0] : this.ofId(cursor);
    if (!server) throw fail("invalidParam", { field: "cursor" });
    const begins = server.number > 0 && cursor === String(idBase(server.number));
    const page = await whilePresent(server.presence, () => read(server.view.mysql, begins ? undefined : cursor));
    const next = this.all[this.all.indexOf(server) + 1];
    if (page.nextCursor !== null || !next) return page;
    return { ...page, nextCursor: String(idBase(next.number)) };
  }
}
