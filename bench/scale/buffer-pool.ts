import { config, databaseName } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { becomesTrue } from "../../scripts/stack/wait.ts";

const megabyte = 1_048_576;
const resizeDeadlineMs = 60_000;

/** Sets the buffer pool of the private database server while `work` runs, and fills it with pages of the books. */
export async function withBufferPool<T>(megabytes: number, work: () => Promise<T>): Promise<T> {
  const before = await resize(megabytes * megabyte);
  try {
    await warm();
    return await work();
  } finally {
    await resize(before);
  }
}

/** Returns the bytes that it had before. */
async function resize(bytes: number): Promise<number> {
  const connection = await openConnection(config().MYSQL_URL);
  const size = async () => {
    const [rows] = await connection.query("SELECT @@innodb_buffer_pool_size AS bytes");
    return Number((rows as { bytes: string }[])[0]?.bytes);
  };
  try {
    const before = await size();
    await connection.query(`SET GLOBAL innodb_buffer_pool_size = ${bytes}`);
    if (!(await becomesTrue(async () => Math.abs((await size()) - bytes) < bytes / 10, resizeDeadlineMs, 100)))
      throw new Error(`the buffer pool did not become ${bytes} bytes within ${resizeDeadlineMs / 1_000} s`);
    return before;
  } finally {
    await connection.end();
  }
}

/** Reads every index that a gift is written to: not those of the archives, which would push them out. */
async function warm(): Promise<void> {
  const connection = await openConnection(config().MYSQL_URL);
  const [rows] = await connection.query(
    `SELECT DISTINCT table_schema AS db, table_name AS name, index_name AS idx FROM information_schema.statistics
     WHERE table_schema IN (?) AND table_name NOT LIKE '%\\_archive'`,
    [[databaseName("wallet"), databaseName("gift")]],
  );
  try {
    for (const { db, name, idx } of rows as Record<"db" | "name" | "idx", string>[])
      await connection.query(`SELECT COUNT(*) FROM \`${db}\`.\`${name}\` FORCE INDEX (\`${idx}\`)`);
  } finally {
    await connection.end();
  }
}
