import type { PoolConnection, ResultSetHeader, RowDataPacket } from "mysql2/promise";
import { fail, isFailure, outage } from "../../broker/failure.ts";
import { isStatementFault } from "../../broker/outages.ts";
import { limits } from "../../config/limits.ts";
import { Connections, type PoolOptions } from "./connections.ts";
import type { PoolState } from "./pool-state.ts";
import type { Queryable, Transaction } from "./queryable.ts";
import { isAnswer, isLockedOut, isRolledBack, lockWaitTimeout, numberOf, tableChanged } from "./server-errors.ts";
import type { ServerPresence } from "./server-presence.ts";
import type { MysqlServer } from "./servers.ts";
import { idleTransaction } from "./session-settings.ts";

export type { Queryable, Transaction } from "./queryable.ts";
export { isDuplicateKey } from "./server-errors.ts";

export interface DatabaseOptions extends Partial<PoolOptions> {
  /**
   * Called when a statement or transaction is run again, after the server rolled it back for a deadlock or a lock wait.
   */
  readonly retried?: () => void;
  /** Of a server that may be away while the service works on: nothing is sent to it then. */
  readonly presence?: Pick<ServerPresence, "require" | "heard">;
}

/**
 * A service's database. Errors of the driver become `unavailable`, unless they mean that the statement itself is wrong
 * (broker/outages.ts).
 */
export class Database implements Queryable {
  private readonly connections: Connections;
  readonly name: string;

  private readonly statementTimeoutMs: number;
  private readonly retried: () => void;
  private readonly presence: DatabaseOptions["presence"];

  /** `statementTimeoutMs` 0: no time-out. */
  constructor(name: string, options: DatabaseOptions = {}) {
    this.name = name;
    this.retried = options.retried ?? (() => {});
    this.presence = options.presence;
    this.statementTimeoutMs = options.statementTimeoutMs ?? limits.mysql.statementTimeoutMs;
    this.connections = new Connections(name, { ...options, statementTimeoutMs: this.statementTimeoutMs });
  }

  query<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return this.alone((connection) => this.rows<Row>(connection, sql, values));
  }

  run(sql: string, values: unknown[] = []): Promise<ResultSetHeader> {
    return this.alone(async (connection) => {
      this.requireWritable(connection);
      const result = await this.send<ResultSetHeader>(connection, sql, values);
      if (result.affectedRows > 0) this.presence?.heard();
      return result;
    });
  }

  /**
   * Runs `work` in one READ COMMITTED transaction; its changes are durable when this returns. After a deadlock or lock
   * wait `work` runs again, so it must not change anything outside of the transaction. Fails: `unavailable`. Either the
   * connection broke or did not answer in time: then the commit may have happened, and only work that is idempotent by
   * a business id may be retried. Or rows stayed locked through all tries.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.attempt(work);
      } catch (error) {
        if (!isLockedOut(error)) throw error;
        if (attempt > limits.mysql.transactionRetries) throw outage(error, { database: this.name });
        this.retried();
      }
    }
  }

  /** As `transaction`, once, and waits for no lock for longer than `lockWaitS`: then it rejects with the driver's error. */
  transactionOnce<T>(work: (tx: Transaction) => Promise<T>, lockWaitS: number): Promise<T> {
    return this.attempt(work, [`SET SESSION innodb_lock_wait_timeout = ${lockWaitS}`]);
  }

  /**
   * Runs reads as of one moment, in a REPEATABLE READ transaction that may not write; settings of the session go first.
   * Where another one ALTERs a table meanwhile (a partition is added to an archive, on Galera on any node) `read` runs
   * again, as of a later moment. Fails: unavailable.
   */
  async snapshot<T>(read: (db: Queryable) => Promise<T>, settings: readonly string[] = []): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.snapshotOnce(read, settings);
      } catch (error) {
        if (!isRolledBack(error) && numberOf(error) !== tableChanged) throw error;
        if (attempt > limits.mysql.transactionRetries) throw outage(error, { database: this.name });
        this.retried();
      }
    }
  }

  private async snapshotOnce<T>(read: (db: Queryable) => Promise<T>, settings: readonly string[]): Promise<T> {
    const connection = await this.take();
    try {
      for (const setting of [...settings, idleTransaction(0)]) await this.send(connection, setting);
      await this.send(connection, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
      await this.send(connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
      return await read(this.transactionOn(connection));
    } finally {
      const healthy = await this.send(connection, "ROLLBACK")
        .then(() => this.send(connection, idleTransaction(limits.mysql.idleTransactionS)))
        .then(() => true)
        .catch(() => false);
      if (healthy) this.connections.giveBack(connection);
      else this.connections.drop(connection);
    }
  }

  /** Resolves where a row can be written now, in a table for this purpose. Fails: unavailable. */
  async requireWorking(): Promise<void> {
    await this.run(beat);
  }

  /** Fails: unavailable, where the server behind the address accepts no writes. The answer is reused for a second. */
  async requirePrimary(): Promise<void> {
    await this.alone(async (connection) => this.requireWritable(connection));
  }

  /** Changes each time the connections are closed: data that was read before may be of a demoted server. */
  get generation(): number {
    return this.connections.generation;
  }

  /** The server to which new connections are made. Fails: unavailable. */
  server(): Promise<MysqlServer> {
    return this.connections.server();
  }

  /** The state of its connections, for the metrics. */
  get pool(): PoolState {
    return this.connections.state;
  }

  async close(): Promise<void> {
    await this.connections.close();
  }

  private take(): Promise<PoolConnection> {
    this.presence?.require();
    return this.connections.take();
  }

  private async attempt<T>(work: (tx: Transaction) => Promise<T>, settings: readonly string[] = []): Promise<T> {
    const connection = await this.take();
    let healthy = false;
    try {
      this.requireWritable(connection);
      for (const statement of [...settings, "START TRANSACTION"]) await this.send(connection, statement);
      let writes = false;
      const result = await work(this.transactionOn(connection, () => (writes = true)));
      await this.commit(connection);
      if (writes) this.presence?.heard();
      healthy = true;
      return result;
    } catch (error) {
      // A connection that cannot roll back is destroyed, which rolls back its transaction.
      healthy = await this.send(connection, "ROLLBACK").then(
        () => true,
        () => false,
      );
      throw error;
    } finally {
      if (healthy && settings.length === 0) this.connections.giveBack(connection);
      else this.connections.drop(connection);
    }
  }

  /**
   * After a deadlock nothing of the transaction is left; a cluster that certifies at the commit answers so. After any
   * other error it may be committed.
   */
  private async commit(connection: PoolConnection): Promise<void> {
    try {
      await this.send(connection, "COMMIT");
    } catch (error) {
      if (isRolledBack(error) || isFailure(error, "unavailable")) throw error;
      throw outage(error, { database: this.name });
    }
  }

  private transactionOn(connection: PoolConnection, onWrite?: () => void): Transaction {
    return {
      inTransaction: true,
      query: <Row extends object>(sql: string, values: unknown[] = []) => this.rows<Row>(connection, sql, values),
      run: async (sql: string, values: unknown[] = []) => {
        const result = await this.send<ResultSetHeader>(connection, sql, values);
        if (result.affectedRows > 0) onWrite?.();
        return result;
      },
    };
  }

  /** A single statement is a transaction of its own: after a deadlock it is run again. */
  private async alone<T>(work: (connection: PoolConnection) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const connection = await this.take();
      try {
        return await work(connection);
      } catch (error) {
        const again = isRolledBack(error) && attempt <= limits.mysql.transactionRetries;
        if (!again && isLockedOut(error)) throw outage(error, { database: this.name });
        if (!again) throw error;
        this.retried();
      } finally {
        this.connections.giveBack(connection);
      }
    }
  }

  private requireWritable(connection: PoolConnection): void {
    if (this.connections.isReadOnly(connection))
      throw fail("unavailable", { database: this.name, cause: "the server accepts no writes (read_only)" });
  }

  private async rows<Row extends object>(connection: PoolConnection, sql: string, values: unknown[]): Promise<Row[]> {
    return (await this.send<RowDataPacket[]>(connection, sql, values)) as unknown as Row[];
  }

  /**
   * Sends one statement. A connection that broke, or did not answer in time, is not used again: later statements would
   * wait behind the missing answer.
   */
  private async send<T extends ResultSetHeader | RowDataPacket[]>(
    connection: PoolConnection,
    sql: string,
    values: unknown[] = [],
  ): Promise<T> {
    const timeout = this.statementTimeoutMs;
    try {
      return (await connection.query<T>({ sql, values, timeout }))[0];
    } catch (error) {
      if (isRolledBack(error) || isStatementFault(error)) throw error;
      if (numberOf(error) === lockWaitTimeout || numberOf(error) === tableChanged) throw error;
      if (isAnswer(error)) this.connections.empty(String((error as Error).message));
      else this.connections.drop(connection);
      throw outage(error, { database: this.name });
    }
  }
}

const beat = `INSERT INTO t_heartbeat (id, beat_time) VALUES (1, UTC_TIMESTAMP(3))
  ON DUPLICATE KEY UPDATE beat_time = UTC_TIMESTAMP(3)`;

/**
 * A money or count column as a number. @throws RangeError where it is not a safe integer: nothing may be calculated
 * with such a value.
 */
export function toSafeInteger(value: unknown): number {
  const number = Number(value);
  if (value === null || value === "" || !Number.isSafeInteger(number))
    throw new RangeError(`not a safe integer in a money column: ${String(value).slice(0, 40)}`);
  return number;
}
