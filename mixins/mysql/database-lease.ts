import type { Database, Transaction } from "./database.ts";

interface LeaseOptions {
  readonly mysql: Pick<Database, "run" | "transaction">;
  /** Of the work. */
  readonly name: string;
  /** The id of this node: of one running process, at most 150 characters. */
  readonly holder: string;
  /** For how long it is held from each renewal on, by the database's clock. */
  readonly ms: number;
}

/**
 * A lease on some work of a service, which one node holds at a time: a row of t_lease in the service's own database
 * (`base-tables.sql`). Only the database's clock counts, so the nodes' clocks need not agree. When the holder
 * dies, another node can take the lease after `ms`.
 */
export class DatabaseLease {
  private readonly options: LeaseOptions;

  constructor(options: LeaseOptions) {
    this.options = options;
  }

  /** Takes the lease where it is free, renews it where it is this node's; whether it is this node's from now on. */
  async hold(): Promise<boolean> {
    if (await this.take()) return true;
    // The row is missing until the lease is taken for the first time.
    const { affectedRows } = await this.options.mysql.run(
      "INSERT IGNORE INTO t_lease (name, holder, until_time) VALUES (?, '', '2000-01-01')",
      [this.options.name],
    );
    return affectedRows === 1 && this.take();
  }

  /** Holds the lease for `ms` from now on, also where it ran out; `false` where another node has held it since. */
  async renew(): Promise<boolean> {
    const { mysql, name, holder, ms } = this.options;
    const { affectedRows } = await mysql.run(
      "UPDATE t_lease SET until_time = UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND WHERE name = ? AND holder = ?",
      [ms * 1_000, name, holder],
    );
    return affectedRows === 1;
  }

  /**
   * Runs `work` in a transaction in which the lease is this node's until the commit: another node cannot take it
   * meanwhile. Where it is not, nothing is done and the result is `undefined`: a node that stalled must not act on old
   * data.
   */
  async fenced<T>(work: (tx: Transaction) => Promise<T>): Promise<T | undefined> {
    const { mysql, name, holder } = this.options;
    return mysql.transaction(async (tx) => {
      const held = await tx.query(
        "SELECT name FROM t_lease WHERE name = ? AND holder = ? AND until_time > UTC_TIMESTAMP(3) LOCK IN SHARE MODE",
        [name, holder],
      );
      return held.length === 1 ? work(tx) : undefined;
    });
  }

  /** Lets another node take it at once, where it is this node's. */
  async giveBack(): Promise<void> {
    const { mysql, name, holder } = this.options;
    await mysql.run("UPDATE t_lease SET until_time = UTC_TIMESTAMP(3) WHERE name = ? AND holder = ?", [name, holder]);
  }

  private async take(): Promise<boolean> {
    const { mysql, name, holder, ms } = this.options;
    const { affectedRows } = await mysql.run(
      `UPDATE t_lease SET holder = ?, until_time = UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND
       WHERE name = ? AND (holder = ? OR until_time <= UTC_TIMESTAMP(3))`,
      [holder, ms * 1_000, name, holder],
    );
    return affectedRows === 1;
  }
}
