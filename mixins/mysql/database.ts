import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from "mysql2/promise";
import { createPool } from "mysql2/promise";
import { isDependencyDown } from "../../broker/dependency-errors.middleware.ts";
import { fail } from "../../broker/failure.ts";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";

/** What a store may do on a connection or on the pool. BIGINT and DECIMAL come back as strings, times as Date (UTC). */
export interface Queryable {
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** INSERT, UPDATE, DELETE. `affectedRows` counts rows found, also where nothing changed in them. */
  run(sql: string, values?: unknown[]): Promise<ResultSetHeader>;
}

/** The connection of a running transaction. */
export interface Transaction extends Queryable {
  readonly inTransaction: true;
}

const deadlock = 1213;
const lockWaitTimeout = 1205;

export class Database implements Queryable {
  private readonly pool: Pool;
  readonly name: string;
  /** Statements sent, for the benchmarks and the metrics. */
  statements = 0;
  /** Transactions that the server rolled back for a deadlock or a lock wait, and that were run again. */
  retries = 0;

  private readonly statementTimeoutMs: number;

  /** `statementTimeoutMs` 0: none. */
  constructor(name: string, options: { connections?: number; statementTimeoutMs?: number } = {}) {
    this.name = name;
    this.statementTimeoutMs = options.statementTimeoutMs ?? limits.mysql.statementTimeoutMs;
    this.pool = createPool({
      uri: config().MYSQL_URL.replace(/^mariadb:/, "mysql:"),
      database: name,
      connectionLimit: options.connections ?? limits.mysql.poolConnections,
      queueLimit: limits.mysql.poolQueueLength,
      connectTimeout: limits.mysql.connectTimeoutMs,
      supportBigNumbers: true,
      bigNumberStrings: true,
      timezone: "Z",
      charset: "utf8mb4",
      // FOUND_ROWS: an UPDATE that sets the same value still found its row.
      flags: ["FOUND_ROWS"],
      // A stack captured for every statement, in case it fails: what awaits it says where it came from.
      trace: false,
    });
    this.pool.on("connection", (connection) => {
      // The server runs a connection's statements in order, so these stand before the first one of ours.
      const raw = connection as unknown as { query(sql: string, done: (error: Error | null) => void): void };
      for (const sql of sessionSettings) raw.query(sql, (error) => error && connection.destroy());
    });
  }

  query<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return this.alone((connection) => this.rows<Row>(connection, sql, values));
  }

  run(sql: string, values: unknown[] = []): Promise<ResultSetHeader> {
    return this.alone((connection) => this.send<ResultSetHeader>(connection, sql, values));
  }

  /**
   * Runs `work` in one READ COMMITTED transaction; what it did is durable when this returns. A deadlock or lock wait
   * rolls back and runs `work` again, so it must not touch anything but the transaction. Fails: `unavailable` where the
   * connection broke or did not answer in time; then the commit may have happened, and only work that is idempotent by a
   * business id may be tried again. `unavailable` as well where rows stayed locked through all tries.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.attempt(work);
      } catch (error) {
        const { errno, code } = error as { errno?: number; code?: string };
        if (errno !== deadlock && errno !== lockWaitTimeout) throw error;
        if (attempt > limits.mysql.transactionRetries) throw fail("unavailable", { database: this.name, cause: code });
        this.retries++;
      }
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private async attempt<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const connection = await this.guard(this.pool.getConnection());
    let healthy = false;
    try {
      await this.send(connection, "START TRANSACTION");
      const result = await work(this.transactionOn(connection));
      await this.send(connection, "COMMIT");
      healthy = true;
      return result;
    } catch (error) {
      // A connection that cannot even roll back goes away with its transaction: destroying it is the roll-back.
      healthy = await this.send(connection, "ROLLBACK").then(
        () => true,
        () => false,
      );
      throw error;
    } finally {
      if (healthy) connection.release();
      else connection.destroy();
    }
  }

  private transactionOn(connection: PoolConnection): Transaction {
    return {
      inTransaction: true,
      query: <Row extends object>(sql: string, values: unknown[] = []) => this.rows<Row>(connection, sql, values),
      run: (sql: string, values: unknown[] = []) => this.send<ResultSetHeader>(connection, sql, values),
    };
  }

  private async alone<T>(work: (connection: PoolConnection) => Promise<T>): Promise<T> {
    const connection = await this.guard(this.pool.getConnection());
    try {
      return await work(connection);
    } finally {
      connection.release();
    }
  }

  private async rows<Row extends object>(connection: PoolConnection, sql: string, values: unknown[]): Promise<Row[]> {
    return (await this.send<RowDataPacket[]>(connection, sql, values)) as unknown as Row[];
  }

  /**
   * One statement. A connection that broke, or did not answer in time, is not used again: whatever came after it would
   * wait behind the answer that is missing.
   */
  private async send<T extends ResultSetHeader | RowDataPacket[]>(
    connection: PoolConnection,
    sql: string,
    values: unknown[] = [],
  ): Promise<T> {
    this.statements++;
    const timeout = this.statementTimeoutMs;
    const [result] = await this.guard(connection.query<T>({ sql, values, timeout }), () => connection.destroy());
    return result;
  }

  private async guard<T>(promise: Promise<T>, whenDown: () => void = () => {}): Promise<T> {
    try {
      return await promise;
    } catch (error) {
      if (!isDependencyDown(error)) throw error;
      whenDown();
      const { code, message } = error as { code?: string; message?: string };
      throw fail("unavailable", { database: this.name, cause: code ?? message });
    }
  }
}

/** Said once a connection: the server's defaults differ between MySQL and MariaDB and between installations. */
const sessionSettings = [
  "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
  "SET SESSION time_zone = '+00:00', SESSION innodb_lock_wait_timeout = 5, SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'",
];

/** Whether an insert met a row with the same unique key. */
export function isDuplicateKey(error: unknown): boolean {
  return (error as { errno?: number } | null)?.errno === 1062;
}

/**
 * A money or count column as a number.
 * @throws RangeError where it is no safe integer: such a value must never be calculated with.
 */
export function toSafeInteger(value: unknown): number {
  const number = Number(value);
  if (value === null || value === "" || !Number.isSafeInteger(number))
    throw new RangeError(`not a safe integer in a money column: ${String(value).slice(0, 40)}`);
  return number;
}
