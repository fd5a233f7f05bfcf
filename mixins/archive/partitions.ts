import { limits } from "../../config/limits.ts";
import { Database, type Queryable } from "../mysql/database.ts";
import { codeOf, isLockTimeout } from "../mysql/patient-ddl.ts";
import type { ArchivedTable } from "./archived-table.ts";
import type { Segment } from "./segment-state.ts";

/** The partitions of an archive table, one a segment. */

/** By their names. */
export async function partitionsOf(db: Queryable, { archive }: ArchivedTable): Promise<Set<string>> {
  const rows = await db.query<{ name: string | null }>(
    `SELECT partition_name AS name FROM information_schema.partitions
     WHERE table_schema = DATABASE() AND table_name = ?`,
    [archive],
  );
  return new Set(rows.flatMap(({ name }) => (name === null ? [] : [name])));
}

export const partitionName = (segment: number): string => `p${segment}`;

/** Makes the partition of a segment out of the empty last one. The ids before it have their own. */
export const addPartitionSql = ({ archive }: ArchivedTable, segment: number, to: bigint): string =>
  `ALTER TABLE ${archive} REORGANIZE PARTITION p_rest INTO (
     PARTITION ${partitionName(segment)} VALUES LESS THAN (${to}), PARTITION p_rest VALUES LESS THAN MAXVALUE)`;

interface Place {
  readonly mysql: Database;
  /** The server and the login that may make partitions. */
  readonly url: string;
  readonly table: ArchivedTable;
}

/**
 * Makes the partition of a segment, or returns what keeps the archive table locked. Readers of it wait behind an ALTER that
 * waits: so it is not tried beside a long transaction, and gives up after `limits.mysql.migrationLockWaitS`.
 */
export async function makePartition(
  { mysql, url, table }: Place,
  { segment, to }: Pick<Segment, "segment" | "to">,
): Promise<string | undefined> {
  const long = await longTransaction(mysql.name, url);
  if (long !== undefined) return long;
  const ddl = new Database(mysql.name, { url, connections: 1, statementTimeoutMs: 0 });
  try {
    const { migrationLockWaitS: waitS } = limits.mysql;
    await ddl.run("SET SESSION lock_wait_timeout = ?, SESSION innodb_lock_wait_timeout = ?", [waitS, waitS]);
    await ddl.run(addPartitionSql(table, segment, to));
    return undefined;
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    return `a transaction holds ${table.archive}, so that its partition cannot be made`;
  } finally {
    await ddl.close();
  }
}

/** `trx_started` is in the time zone of the server, whatever that of the session is. */
const ranFor = "TIMESTAMPDIFF(SECOND, t.trx_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM'))";

/** ER_SPECIFIC_ACCESS_DENIED_ERROR: the login may not see the transactions of others. */
const mayNotSee = 1227;

/** A transaction that has run for long, in this database or in none (a dump); `undefined` where none is seen. */
async function longTransaction(name: string, url: string): Promise<string | undefined> {
  // Its own connection: after a refusal a pool is closed.
  const db = new Database(name, { url, connections: 1 });
  try {
    const [row] = await db.query<{ thread: string; seconds: number }>(
      `SELECT thread, seconds FROM (
         SELECT t.trx_mysql_thread_id AS thread, ${ranFor} AS seconds FROM information_schema.innodb_trx t
           JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id AND (p.db IS NULL OR p.db = DATABASE())
       ) a WHERE seconds > ? ORDER BY seconds DESC LIMIT 1`,
      [limits.archive.longTransactionS],
    );
    return (
      row && `a transaction of connection ${row.thread} has run for ${row.seconds} s: a partition would wait for it`
    );
  } catch (error) {
    if (codeOf(error) !== mayNotSee) throw error;
    return undefined;
  } finally {
    await db.close();
  }
}
