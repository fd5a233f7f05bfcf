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
    const before = await globalNumber(connection, oldBlocks);
    // Otherwise pages that are read once get a third of the pool, and those of other books keep the rest.
    await connection.query(`SET GLOBAL ${oldBlocks} = 95`);
    try {
      await readIndexes(connection);
    } finally {
      await connection.query(`SET GLOBAL ${oldBlocks} = ${before}`);
    }
  });
}

const oldBlocks = "innodb_old_blocks_pct";

async function globalNumber(connection: Connection, name: string): Promise<number> {
  const [rows] = await connection.query(`SELECT @@${name} AS value`);
  return Number((rows as { value: string }[])[0]?.value);
}

/** Written to at their ends, wherever their tables' other indexes are: idx_object at the end of each anchor's part. */
const appended: ReadonlySet<string> = new Set(["idx_object"]);

/**
 * Reads every index that a gift is written to in no order, the largest first: where they do not all fit, a part of it is
 * not in the pool, as after a long time of gifts. Not those of archives, which no gift writes to, nor primary keys that
 * count up.
 */
async function readIndexes(connection: Connection): Promise<void> {
  const databases = [databaseName("wallet"), databaseName("gift")];
  const [rows] = await connection.query(
    `SELECT DISTINCT s.table_schema AS db, s.table_name AS name, s.index_name AS idx
     FROM information_schema.statistics s JOIN information_schema.columns c USING (table_schema, table_name, column_name)
     WHERE s.table_schema IN (?) AND s.table_name NOT LIKE '%\\_archive%'
       AND NOT (s.index_name = 'PRIMARY' AND c.extra LIKE '%auto_increment%')`,
    [databases],
  );
  const [sizes] = await connection.query(
    `SELECT database_name AS db, table_name AS name, index_name AS idx, stat_value AS pages FROM mysql.innodb_index_stats
     WHERE stat_name = 'size' AND database_name IN (?)`,
    [databases],
  );
  const keyOf = ({ db, name, idx }: Index) => `\`${db}\`.\`${name}\` FORCE INDEX (\`${idx}\`)`;
  const pages = new Map((sizes as (Index & { pages: string })[]).map((one) => [keyOf(one), Number(one.pages)]));
  const indexes = (rows as Index[]).filter(({ idx }) => !appended.has(idx)).map(keyOf);
  for (const index of indexes.toSorted((a, b) => (pages.get(b) ?? 0) - (pages.get(a) ?? 0)))
    await connection.query(`SELECT COUNT(*) FROM ${index}`);
}

type Index = Readonly<Record<"db" | "name" | "idx", string>>;
