import { setTimeout as pause } from "node:timers/promises";
import type { Connection } from "mysql2/promise";
import { eventually } from "./eventually.ts";

/**
 * Selects the transactions of this connection's database that wait for a lock; `t` is InnoDB's table of them. That is of the
 * whole server, where other test files have transactions too.
 */
export const lockWaits = `SELECT 1 FROM information_schema.innodb_trx t
  JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
  WHERE p.db = DATABASE() AND t.trx_state = 'LOCK WAIT'`;

/** Resolves once a transaction of this connection's database waits to lock rows of a user. */
export async function untilUserWaits(connection: Connection, userId: string): Promise<void> {
  const sql = `${lockWaits} AND t.trx_query LIKE ?`;
  const isWaiting = async () => {
    // The server makes this table anew only after a tenth of a second without a query.
    await pause(120);
    const [found] = await connection.query(sql, [`%${userId}%FOR UPDATE`]);
    return (found as unknown[]).length > 0;
  };
  await eventually(`a wait for ${userId}`, isWaiting, 30_000);
}
