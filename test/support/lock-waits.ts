/**
 * Selects the transactions of this connection's database that wait for a lock; `t` is InnoDB's table of them. That is of the
 * whole server, where other test files have transactions too.
 */
export const lockWaits = `SELECT 1 FROM information_schema.innodb_trx t
  JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
  WHERE p.db = DATABASE() AND t.trx_state = 'LOCK WAIT'`;
