import type { Connection } from "mysql2/promise";
import { config } from "../../config/config.ts";
import { isNothingThere, rowsOf } from "../backup/admin-connection.ts";
import { named } from "../backup/dump-text.ts";

/**
 * How far a restore is: a database of its own beside the restored ones. A restore that was interrupted goes on where it
 * was, and one that is complete changes nothing more.
 *
 *   none     no row    -> begun  `step`
 *   begun              -> done   its work has ended
 *
 * What was begun and is not done is begun anew: a database that is half loaded is dropped first.
 */
export class RestoreState {
  private readonly connection: Connection;
  private readonly database = `${config().NAMESPACE}_restore`;
  private readonly table = `${named(this.database)}.t_restore`;

  private constructor(connection: Connection) {
    this.connection = connection;
  }

  /** Looks at the server and changes nothing. @throws Error where another backup is being restored there, or was */
  static async find(connection: Connection, backup: string): Promise<RestoreState> {
    const state = new RestoreState(connection);
    const [other] = await state.rows<{ backup: string; update_time: Date }>(
      `SELECT backup, update_time FROM ${state.table} WHERE backup <> ? LIMIT 1`,
      [backup],
    );
    if (other)
      throw new Error(
        `this server has the restore of another backup, ${other.backup}, of ${other.update_time.toISOString()}: if it is ` +
          `of no use, drop all databases of the namespace, ${state.database} among them, and begin again`,
      );
    return state;
  }

  /** From now on the steps are kept. @throws Error where another process restores: its connection has the lock */
  async begin(backup: string): Promise<void> {
    const [lock] = await this.rows<{ got: number }>("SELECT GET_LOCK(?, 0) AS got", [this.database]);
    if (Number(lock?.got) !== 1)
      throw new Error("another process restores to this server now: wait until it has ended");
    await this.connection.query(`CREATE DATABASE IF NOT EXISTS ${named(this.database)} CHARACTER SET utf8mb4`);
    await this.connection.query(
      `CREATE TABLE IF NOT EXISTS ${this.table} (step VARCHAR(190) NOT NULL PRIMARY KEY, backup CHAR(36) NOT NULL,
         state VARCHAR(10) NOT NULL, update_time DATETIME(3) NOT NULL) ENGINE = InnoDB`,
    );
    const sql = `INSERT IGNORE INTO ${this.table} VALUES ('restore', ?, 'begun', UTC_TIMESTAMP(3))`;
    await this.connection.query(sql, [backup]);
  }

  /** Whether a step is done, or was begun; `none` where neither. */
  async of(step: string): Promise<"none" | "begun" | "done"> {
    const sql = `SELECT state FROM ${this.table} WHERE step = ?`;
    const [row] = await this.rows<{ state: "begun" | "done" }>(sql, [step]);
    return row?.state ?? "none";
  }

  /** No rows where nothing was begun. */
  private async rows<Row extends object>(sql: string, values: unknown[]): Promise<Row[]> {
    try {
      return await rowsOf<Row>(this.connection, sql, values);
    } catch (error) {
      if (isNothingThere(error)) return [];
      throw error;
    }
  }

  /** Runs a step that is not done. `begun`: an earlier run did not end it. Returns `undefined` where it is done. */
  async step<T>(step: string, work: (begun: boolean) => Promise<T>): Promise<T | undefined> {
    const before = await this.of(step);
    if (before === "done") return undefined;
    await this.set(step, "begun");
    const result = await work(before === "begun");
    await this.set(step, "done");
    return result;
  }

  private async set(step: string, state: "begun" | "done"): Promise<void> {
    await this.connection.query(
      `INSERT INTO ${this.table} SELECT ?, backup, ?, UTC_TIMESTAMP(3) FROM ${this.table} WHERE step = 'restore'
       ON DUPLICATE KEY UPDATE state = VALUES(state), update_time = VALUES(update_time)`,
      [step, state],
    );
  }

  /** Marks the whole as complete. */
  complete(): Promise<void> {
    return this.set("restore", "done");
  }

  isComplete(): Promise<boolean> {
    return this.of("restore").then((state) => state === "done");
  }
}
