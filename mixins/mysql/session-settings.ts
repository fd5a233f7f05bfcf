/**
 * Sent once for each connection: the server's defaults differ between MySQL and MariaDB and between installations.
 *
 * MariaDB ends a connection that has a transaction open and says nothing for ten seconds: that of a process that hangs or
 * is cut off would keep its locks until the server notices, which takes hours. MySQL has no such setting.
 */
export const sessionSettings: readonly string[] = [
  "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
  "SET SESSION time_zone = '+00:00', SESSION innodb_lock_wait_timeout = 5, SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO' /*M!100301 , SESSION idle_transaction_timeout = 10 */",
];
