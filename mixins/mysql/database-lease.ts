import { type Database, isDuplicateKey, type Transaction } from "./database.ts";

interface LeaseOptions {
  readonly mysql: Pick<Database, "query" | "run" | "transaction">;
  /** The name of the work. */
  readonly name: string;
  /** The id of this node: of one running process, at most `limits.bus.nodeIdChars` characters. */
  readonly holder: string;
  /** How long it is held after each renewal, by the database's clock. */
  readonly ms: number;
}

/**
 * A lease that gives some work of a service to one node at a time: a row of t_lease in the service's own database
 * (`base-tables.sql`). Only the database's clock is used, so the nodes' clocks may differ. When the holder dies,
 * another node can take the lease after `ms`.
 */
export class DatabaseLease {
  private readonly options: LeaseOptions;

  constructor(options: LeaseOptions) {
    this.options = options;
  }

  /** Takes a free lease, or renews this node's. Returns whether this node holds it. */
  async hold(): Promise<boolean> {
    if (await this.take()) return true;
    return (await this.addRow()) && this.take();
  }

  /** The row is missing until the lease is first taken. Returns whether it was. */
  private async addRow(): Promise<boolean> {
    const { mysql, name } = this.options;
    // Nodes ask for a held lease all the time: the insert, which would fail, is only tried where there is no row.
    if ((await mysql.query("SELECT name FROM t_lease WHERE name = ?", [name])).length > 0) return false;
    try {
      await mysql.run("INSERT INTO t_lease (name, holder, until_time) VALUES (?, '', '2000-01-01')", [name]);
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /** Holds the lease for `ms` from now on, even if it has expired; `false` where another node has held it since. */
  async renew(): Promise<boolean> {
    const { mysql, name, holder, ms } = this.options;
    const { affectedRows } = await mysql.run(
      "UPDATE t_lease SET until_time = UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND WHERE name = ? AND holder = ?",
      [ms * 1_000, name, holder],
    );
    return affectedRows === 1;
  }

  /**
   * Runs `work` in a transaction, during which no other node can take the lease. Where this node does not hold it,
   * nothing is done and the result is `undefined`: a node that stalled must not act on old data.
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

  /** Frees the lease, if this node holds it, so that another node can take it at once. */
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
