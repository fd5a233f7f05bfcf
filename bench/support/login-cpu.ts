import type { Connection } from "mysql2/promise";
import { config } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";

/**
 * Starts counting the CPU time that the database server spends on the statements of each login, which MariaDB does
 * where it is asked to. Returns a function that returns that of a login since then, µs; `undefined` where the server
 * does not count it.
 */
export async function countLoginCpu(): Promise<(user: string) => Promise<number | undefined>> {
  const connected = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = await openConnection(config().MYSQL_URL);
    try {
      return await work(connection);
    } finally {
      await connection.end();
    }
  };
  const counts = await connected(async (connection) => {
    const [variables] = await connection.query("SHOW GLOBAL VARIABLES LIKE 'userstat'");
    if ((variables as unknown[]).length === 0) return false;
    await connection.query("SET GLOBAL userstat = 1");
    await connection.query("FLUSH USER_STATISTICS");
    return true;
  });
  return (user) =>
    connected(async (connection) => {
      if (!counts) return undefined;
      const [rows] = await connection.query(
        "SELECT CPU_TIME AS seconds FROM information_schema.USER_STATISTICS WHERE USER = ?",
        [user],
      );
      return Number((rows as { seconds: unknown }[])[0]?.seconds ?? 0) * 1_000_000;
    });
}
