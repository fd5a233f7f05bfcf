import type { ResultSetHeader } from "mysql2/promise";

/**
 * The operations of a store on a connection or on the pool. BIGINT and DECIMAL are returned as strings, times as Date
 * (UTC).
 */
export interface Queryable {
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** INSERT, UPDATE, DELETE. `affectedRows` also counts rows that were found and not changed. */
  run(sql: string, values?: unknown[]): Promise<ResultSetHeader>;
}

/** The connection of a running transaction. */
export interface Transaction extends Queryable {
  readonly inTransaction: true;
}
