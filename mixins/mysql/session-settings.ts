import { limits } from "../../config/limits.ts";

/** For how many seconds a transaction of the session may say nothing; 0: for ever. MySQL has no such setting. */
export const idleTransaction = (seconds: number) =>
  `SET SESSION time_zone = '+00:00' /*M!100301 , SESSION idle_transaction_timeout = ${seconds} */`;

/**
 * Sent once for each connection: the server's defaults differ between MySQL and MariaDB and between installations.
 *
 * MariaDB ends a connection that has a transaction open and says nothing for ten seconds: that of a process that hangs or
 * is cut off would keep its locks until the server notices, which takes hours. Snapshots lock nothing and may wait.
 */
export const sessionSettings: readonly string[] = [
  "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
  "SET SESSION innodb_lock_wait_timeout = 5, SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'",
  idleTransaction(limits.mysql.idleTransactionS),
];
