import type { Socket } from "node:net";
import type { Pool, PoolConnection, RowDataPacket } from "mysql2/promise";
import { createPool } from "mysql2/promise";
import { outage } from "../../broker/failure.ts";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";

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

/** Numbers of connections; `waiting`: of callers who wait for one. */
export interface PoolState {
  readonly busy: number;
  readonly open: number;
  readonly most: number;
  readonly waiting: number;
}

/** The lists of mysql2's pool, which its types do not have. */
interface PoolLists {
  readonly _allConnections: { readonly length: number };
  readonly _freeConnections: { readonly length: number };
  readonly _connectionQueue: { readonly length: number };
}

/** The state of a connection. */
interface Known {
  readonly generation: number;
  checkedAt: number;
  readOnly: boolean;
}

/** Sent once for each connection: the server's defaults differ between MySQL and MariaDB and between installations. */
const sessionSettings = [
  "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
  "SET SESSION time_zone = '+00:00', SESSION innodb_lock_wait_timeout = 5, SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'",
];

const readOnlyQuery = "SELECT @@global.read_only AS readOnly, @@global.innodb_read_only AS innodbReadOnly";
const off: ReadonlySet<string> = new Set(["0", "OFF"]);

/**
 * A pool that leaves a demoted primary. After a failover behind one address, open connections stay with the old
 * primary, which answers reads with old rows. So each connection is checked from time to time for `read_only`. Where
 * its server takes no writes, or answers a statement with an outage, all connections are closed: idle ones at the next
 * use of the pool, busy ones when they are returned. New connections go to wherever the address leads by then.
 */
export class Connections {
  private readonly name: string;
  private readonly options: PoolOptions;
  private readonly pool: Pool;
  private readonly known = new WeakMap<object, Known>();
  /** Grows each time the pool closes its connections. */
  generation = 0;
  private emptiedAt = Number.NEGATIVE_INFINITY;

  constructor(name: string, options: PoolOptions) {
    this.name = name;
    this.options = options;
    this.pool = createPool({
      uri: (options.url ?? config().MYSQL_URL).replace(/^mariadb:/, "mysql:"),
      database: name,
      connectionLimit: options.connections ?? limits.mysql.poolConnections,
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
    this.pool.on("connection", (connection) => {
      const { generation } = this;
      this.known.set(connection, { generation, checkedAt: Number.NEGATIVE_INFINITY, readOnly: false });
      // The server runs a connection's statements in order, so these run before the caller's first one.
      const raw = connection as unknown as { query(sql: string, done: (error: Error | null) => void): void };
      for (const sql of sessionSettings) raw.query(sql, (error) => error && connection.destroy());
    });
  }

  /**
   * Returns a connection whose server accepted writes at its last check, or one for which `isReadOnly` is true. Fails:
   * unavailable.
   */
  async take(): Promise<PoolConnection> {
    for (;;) {
      const connection = await this.connected();
      const known = this.knownOf(connection);
      if (known.generation === this.generation && (await this.isUsable(connection, known))) return connection;
      connection.destroy();
    }
  }

  giveBack(connection: PoolConnection): void {
    if (this.knownOf(connection).generation === this.generation) connection.release();
    else connection.destroy();
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
    this.options.gaveUp?.(why);
    return true;
  }

  get state(): PoolState {
    const {
      _allConnections: all,
      _freeConnections: free,
      _connectionQueue: queue,
    } = this.pool.pool as unknown as PoolLists;
    const most = this.options.connections ?? limits.mysql.poolConnections;
    return { busy: all.length - free.length, open: all.length, most, waiting: queue.length };
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private async connected(): Promise<PoolConnection> {
    try {
      return await this.pool.getConnection();
    } catch (error) {
      // No statement was sent yet, so the error cannot be a fault of a statement.
      throw outage(error, { database: this.name });
    }
  }

  /**
   * A read-only server is left, unless the connections were closed just before: then there is no other server, and this
   * one serves reads.
   */
  private async isUsable(connection: PoolConnection, known: Known): Promise<boolean> {
    if (this.options.reads || performance.now() - known.checkedAt < limits.mysql.checkEveryMs) return true;
    try {
      const row = await this.readOnlyRow(connection);
      known.readOnly = !Object.values(row ?? {}).every((value) => off.has(String(value)));
      known.checkedAt = performance.now();
    } catch (error) {
      connection.destroy();
      // A server that does not answer would not close the connection either.
      (connection.connection as unknown as { stream: Socket }).stream.destroy();
      throw outage(error, { database: this.name });
    }
    return !known.readOnly || !this.empty("the server accepts no writes (read_only)");
  }

  /**
   * Queries whether the server accepts writes; the first time after the session settings. mysql2 times a statement from
   * when it is sent, so one that waits behind another is timed here.
   */
  private async readOnlyRow(connection: PoolConnection): Promise<RowDataPacket | undefined> {
    const { checkTimeoutMs } = limits.mysql;
    const timeoutMs = Math.min(this.options.statementTimeoutMs || checkTimeoutMs, checkTimeoutMs);
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    try {
      const [[row]] = await Promise.race([connection.query<RowDataPacket[]>(readOnlyQuery), late.promise]);
      return row;
    } finally {
      clearTimeout(timer);
    }
  }

  private knownOf(connection: PoolConnection): Known {
    const known = this.known.get(connection.connection);
    if (!known) throw new Error("an unknown connection of the pool");
    return known;
  }
}
