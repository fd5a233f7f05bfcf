import type { Socket } from "node:net";
import type { Pool, PoolConnection } from "mysql2/promise";
import { createPool } from "mysql2/promise";
import { outage } from "../../broker/failure.ts";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { within } from "../within.ts";
import { type PoolState, stateOf } from "./pool-state.ts";
import { ServerChoice } from "./server-choice.ts";
import { isReadOnlyNow, type MysqlServer, mysqlServers } from "./servers.ts";
import { sessionSettings } from "./session-settings.ts";

export interface PoolOptions {
  /** The server and the login; by default MYSQL_URL. */
  readonly url?: string;
  /** Only read: the server may be a replica, and its connections are not checked for read_only. */
  readonly reads?: true;
  readonly connections?: number;
  /** 0: none. */
  readonly statementTimeoutMs: number;
  /** Called with the reason when the pool closes all its connections. */
  readonly gaveUp?: (why: string) => void;
}

/** The state of a connection. */
interface Known {
  readonly generation: number;
  readonly server: MysqlServer;
  checkedAt: number;
  readOnly: boolean;
}

/** What is behind mysql2's types. */
interface CorePool {
  readonly _connectionQueue: { readonly length: number; shift(): (error: Error) => void };
  readonly _freeConnections: { readonly length: number; pop(): CoreConnection };
}
interface CoreConnection {
  readonly stream: Socket;
  destroy(): void;
}

const socketOf = ({ connection }: PoolConnection) => (connection as unknown as CoreConnection).stream;

/**
 * A pool that leaves a demoted primary. After a failover behind one address, open connections stay with the old
 * primary, which answers reads with old rows. So each connection is checked from time to time for `read_only`. Where
 * its server takes no writes, or answers a statement with an outage, all connections are closed: idle ones at the next
 * use of the pool, busy ones when they are returned. New connections go to wherever the address leads by then.
 *
 * Where the URL names several servers, all connections are to one of them (server-choice.ts). When another one is used,
 * those to the former are closed; where that is silent also those that are busy, whose statements fail at once.
 */
export class Connections {
  private readonly name: string;
  private readonly options: PoolOptions;
  private readonly pools = new Map<MysqlServer, Pool>();
  private readonly choice: ServerChoice;
  private readonly known = new WeakMap<object, Known>();
  /** Those that somebody has taken. */
  private readonly busy = new Set<PoolConnection>();
  /** Grows each time the pool closes its connections. */
  generation = 0;
  private emptiedAt = Number.NEGATIVE_INFINITY;
  private isClosed = false;

  constructor(name: string, options: PoolOptions) {
    this.name = name;
    this.options = options;
    this.choice = new ServerChoice(mysqlServers(options.url ?? config().MYSQL_URL), {
      reads: options.reads === true,
      moved: (from, to, why, isSilent) => this.move(from, to, why, isSilent),
    });
  }

  private poolOf(server: MysqlServer): Pool {
    const open = this.pools.get(server);
    if (open) return open;
    if (this.isClosed) throw new Error("the database is closed");
    const pool = createPool({
      uri: server.uri,
      database: this.name,
      connectionLimit: this.options.connections ?? limits.mysql.poolConnections,
      queueLimit: limits.mysql.poolQueueLength,
      connectTimeout: limits.mysql.connectTimeoutMs,
      supportBigNumbers: true,
      bigNumberStrings: true,
      timezone: "Z",
      charset: "utf8mb4",
      // FOUND_ROWS: an UPDATE that sets the present value counts its row too.
      flags: ["FOUND_ROWS"],
      // No stack trace is captured for each statement: the caller's stack is enough.
      trace: false,
    });
    pool.on("connection", (connection) => {
      const { generation } = this;
      this.known.set(connection, { generation, server, checkedAt: Number.NEGATIVE_INFINITY, readOnly: false });
      // The server runs a connection's statements in order, so these run before the caller's first one.
      const raw = connection as unknown as { query(sql: string, done: (error: Error | null) => void): void };
      for (const sql of sessionSettings) raw.query(sql, (error) => error && connection.destroy());
    });
    this.pools.set(server, pool);
    return pool;
  }

  /**
   * Returns a connection whose server accepted writes at its last check, or one for which `isReadOnly` is true. Fails:
   * unavailable.
   */
  async take(): Promise<PoolConnection> {
    for (;;) {
      const server = await this.server();
      const connection = await this.connected(server);
      if (!connection) continue;
      const known = this.knownOf(connection);
      if (this.isCurrent(known) && (await this.isUsable(connection, known))) {
        this.busy.add(connection);
        return connection;
      }
      connection.destroy();
    }
  }

  giveBack(connection: PoolConnection): void {
    this.busy.delete(connection);
    if (this.knownOf(connection).generation === this.generation) connection.release();
    else connection.destroy();
  }

  /** Closes a connection that broke, or that may not be used again. Where there are other servers, all are looked at. */
  drop(connection: PoolConnection): void {
    this.busy.delete(connection);
    this.cut(connection);
    this.choice.reconsider();
  }

  /** The server to which connections are made. Fails: unavailable, where the URL names several and none answers. */
  async server(): Promise<MysqlServer> {
    try {
      return await this.choice.current();
    } catch (error) {
      throw outage(error, { database: this.name });
    }
  }

  /**
   * Whether the connection's server accepted no writes at the last check, and no other did. An account with special
   * rights could still write there, and a failover would lose those writes.
   */
  isReadOnly(connection: PoolConnection): boolean {
    return this.knownOf(connection).readOnly;
  }

  /**
   * Closes all connections, at most once in `limits.mysql.emptyEveryMs`, so that a server that refuses everything does
   * not get a storm of new connections. Returns whether it did.
   */
  empty(why: string): boolean {
    const now = performance.now();
    if (now - this.emptiedAt < limits.mysql.emptyEveryMs) return false;
    this.emptiedAt = now;
    this.generation++;
    this.choice.reconsider();
    this.options.gaveUp?.(why);
    return true;
  }

  get state(): PoolState {
    return stateOf([...this.pools.values()], this.options.connections ?? limits.mysql.poolConnections);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.choice.stop();
    const ends = [...this.pools].map(([server, pool]) => ({ server, end: pool.end() }));
    // Nothing runs on servers that were left, and a silent one would not say goodbye.
    for (const { end } of ends) end.catch(() => {});
    await ends.find(({ server }) => server === this.choice.inUse)?.end;
  }

  /** Closes a connection without a word: a server that does not answer would not close it either. */
  private cut(connection: PoolConnection): void {
    connection.destroy();
    socketOf(connection).destroy();
  }

  private move(from: MysqlServer, to: MysqlServer, why: string, isSilent: boolean): void {
    this.generation++;
    this.emptiedAt = performance.now();
    const left = [...this.busy].filter((connection) => this.knownOf(connection).server === from);
    // Their statements fail at once, and their connections are dropped for it.
    if (isSilent) for (const connection of left) socketOf(connection).destroy();
    const pool = (this.pools.get(from) as unknown as { pool: CorePool } | undefined)?.pool;
    while (pool && pool._freeConnections.length > 0) {
      const free = pool._freeConnections.pop();
      free.destroy();
      if (isSilent) free.stream.destroy();
    }
    // Who waits for a connection of the former server gets one of the new server.
    while (pool && pool._connectionQueue.length > 0) pool._connectionQueue.shift()(new Error("another server is used"));
    this.options.gaveUp?.(`${from.place} is left for ${to.place}: ${why}`);
  }

  private isCurrent({ generation, server }: Known): boolean {
    return generation === this.generation && server === this.choice.inUse;
  }

  /** A connection of the server's pool; `undefined` where it fails and another server is used now. */
  private async connected(server: MysqlServer): Promise<PoolConnection | undefined> {
    try {
      return await this.poolOf(server).getConnection();
    } catch (error) {
      if (await this.isLeft(server)) return undefined;
      // No statement was sent yet, so the error cannot be a fault of a statement.
      throw outage(error, { database: this.name });
    }
  }

  private async isLeft(server: MysqlServer): Promise<boolean> {
    try {
      return await this.choice.isLeft(server);
    } catch {
      // No other one answers either: the caller's error says what happened.
      return false;
    }
  }

  /**
   * A read-only server is left, unless the connections were closed just before: then there is no other server, and this
   * one serves reads.
   */
  private async isUsable(connection: PoolConnection, known: Known): Promise<boolean> {
    if (this.options.reads || performance.now() - known.checkedAt < limits.mysql.checkEveryMs) return true;
    try {
      known.readOnly = await this.readOnlyNow(connection);
      known.checkedAt = performance.now();
    } catch (error) {
      this.cut(connection);
      if (await this.isLeft(known.server)) return false;
      throw outage(error, { database: this.name });
    }
    return !known.readOnly || !this.empty("the server accepts no writes (read_only)");
  }

  /**
   * Queries whether the server accepts writes; the first time after the session settings. mysql2 times a statement from
   * when it is sent, so one that waits behind another is timed here.
   */
  private readOnlyNow(connection: PoolConnection): Promise<boolean> {
    const { checkTimeoutMs } = limits.mysql;
    const timeoutMs = Math.min(this.options.statementTimeoutMs || checkTimeoutMs, checkTimeoutMs);
    return within(timeoutMs, isReadOnlyNow(connection));
  }

  private knownOf(connection: PoolConnection): Known {
    const known = this.known.get(connection.connection);
    if (!known) throw new Error("an unknown connection of the pool");
    return known;
  }
}
