import type { Connection } from "mysql2/promise";
import { config, databaseName } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { becomesTrue } from "../../scripts/stack/wait.ts";
import { flushBooks } from "./flush.ts";

const megabyte = 1_048_576;
const resizeDeadlineMs = 60_000;

/** Sets the buffer pool of the private database server while `work` runs. */
export async function withBufferPool<T>(megabytes: number, work: () => Promise<T>): Promise<T> {
  const before = await resize(megabytes * megabyte);
  try {
    return await work();
  } finally {
    await resize(before);
  }
}

async function connected<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await openConnection(config().MYSQL_URL);
  try {
    return await work(connection);
  } finally {
    await connection.end();
  }
}

/** Returns the bytes that it had before. */
const resize = (bytes: number): Promise<number> =>
  connected(async (connection) => {
    const size = async () => {
      const [rows] = await connection.query("SELECT @@innodb_buffer_pool_size AS bytes");
      return Number((rows as { bytes: string }[])[0]?.bytes);
    };
    const before = await size();
    await connection.query(`SET GLOBAL innodb_buffer_pool_size = ${bytes}`);
    if (!(await becomesTrue(async () => Math.abs((await size()) - bytes) < bytes / 10, resizeDeadlineMs, 100)))
      throw new Error(`the buffer pool did not become ${bytes} bytes within ${resizeDeadlineMs / 1_000} s`);
    return before;
  });

/**
 * Brings the pool into the state from which every burst begins: nothing is to be written to disk, and the pages of the
 * books in use are in it, as far as they fit, in place of those of other books.
 */
export async function prepareBufferPool(progress: (line: string) => void): Promise<void> {
  await flushBooks(progress);
  await connected(async (connection) => {
    // Otherwise pages that are read once would only get the part of the pool that is given up first.
    const [rows] = await connection.query("SELECT @@innodb_old_blocks_time AS ms");
    const { ms } = (rows as { ms: number }[])[0] ?? { ms: 1_000 };
    await connection.query("SET GLOBAL innodb_old_blocks_time = 0");
    try {
      await readIndexes(connection);
    } finally {
      await connection.query(`SET GLOBAL innodb_old_blocks_time = ${ms}`);
    }
  });
}

/**
 * Reads every index that a gift is written to in no order. Neither those of archives, which no gift writes to, nor primary
 * keys that count up: gifts write at their ends.
 */
async function readIndexes(connection: Connection): Promise<void> {
  const [rows] = await connection.query(
    `SELECT DISTINCT s.table_schema AS db, s.table_name AS name, s.index_name AS idx
     FROM information_schema.statistics s JOIN information_schema.columns c USING (table_schema, table_name, column_name)
     WHERE s.table_schema IN (?) AND s.table_name NOT LIKE '%\\_archive%'
       AND NOT (s.index_name = 'PRIMARY' AND c.extra LIKE '%auto_increment%')`,
    [[databaseName("wallet"), databaseName("gift")]],
  );
  for (const { db, name, idx } of rows as Record<"db" | "name" | "idx", string>[])
    await connection.query(`SELECT COUNT(*) FROM \`${db}\`.\`${name}\` FORCE INDEX (\`${idx}\`)`);
}
