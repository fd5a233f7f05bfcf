import type { Connection } from "mysql2/promise";
import { config } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";

/** What the database server did for a login. */
export interface LoginUse {
  /** CPU, µs. */
  readonly micros: number;
  /** Statements that read or write rows, as the server counts them. */
  readonly statements: number;
}

async function connected<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await openConnection(config().MYSQL_URL);
  try {
    return await work(connection);
  } finally {
    await connection.end();
  }
}

/**
 * Starts counting what the database server does for each login, which MariaDB does where it is asked to. Returns a
 * function that returns what it did since then, by login; `undefined` where the server does not count it.
 */
export async function countLogins(): Promise<() => Promise<ReadonlyMap<string, LoginUse> | undefined>> {
  const counts = await connected(async (connection) => {
    const [variables] = await connection.query("SHOW GLOBAL VARIABLES LIKE 'userstat'");
    if ((variables as unknown[]).length === 0) return false;
    await connection.query("SET GLOBAL userstat = 1");
    await connection.query("FLUSH USER_STATISTICS");
    return true;
  });
  return () =>
    connected(async (connection) => {
      if (!counts) return undefined;
      const [rows] = await connection.query(
        `SELECT USER AS user, CPU_TIME AS seconds, SELECT_COMMANDS + UPDATE_COMMANDS AS statements
         FROM information_schema.USER_STATISTICS`,
      );
      const found = rows as { user: string; seconds: unknown; statements: unknown }[];
      return new Map(
        found.map(({ user, seconds, statements }) => [
          user,
          { micros: Number(seconds) * 1_000_000, statements: Number(statements) },
        ]),
      );
    });
}

/** The same of a login's CPU alone, µs. */
export async function countLoginCpu(): Promise<(user: string) => Promise<number | undefined>> {
  const uses = await countLogins();
  return async (user) => {
    const all = await uses();
    return all && (all.get(user)?.micros ?? 0);
  };
}
