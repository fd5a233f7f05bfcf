import { config } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { becomesTrue } from "../../scripts/stack/wait.ts";

const dirtyPagesLeft = 200;
const flushDeadlineMs = 5 * 60_000;
/** Settings that make the server flush all dirty pages, in the order in which they may be set. */
const hurry = [
  ["innodb_io_capacity_max", 40_000],
  ["innodb_io_capacity", 20_000],
  ["innodb_max_dirty_pages_pct", 0],
] as const;

/** Waits until the server has flushed the filled rows to disk, so that it does not do so during a measurement. */
export async function flushBooks(progress: (line: string) => void): Promise<void> {
  const connection = await openConnection(config().MYSQL_URL);
  const numberOf = async (sql: string) => {
    const [rows] = await connection.query(sql);
    return Number((rows as { Value: string }[])[0]?.Value ?? 0);
  };
  const dirty = () => numberOf("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'");
  if ((await dirty()) > dirtyPagesLeft) progress(`waiting until all is on disk: ${await dirty()} pages`);
  const before: [name: string, value: number][] = [];
  for (const [name, value] of hurry) {
    before.unshift([name, await numberOf(`SHOW GLOBAL VARIABLES LIKE '${name}'`)]);
    await connection.query(`SET GLOBAL ${name} = ${value}`);
  }
  try {
    if (!(await becomesTrue(async () => (await dirty()) < dirtyPagesLeft, flushDeadlineMs, 100)))
      progress(`${await dirty()} pages are still to be written: what is measured next suffers from it`);
  } finally {
    for (const [name, value] of before) await connection.query(`SET GLOBAL ${name} = ${value}`);
    await connection.end();
  }
}
