import { createConnection } from "mysql2/promise";
import { databaseName } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { migrate } from "../../mixins/mysql/migrate.ts";
import { addServers } from "../../scripts/add-servers.ts";
import { migrationFolders } from "../../services/databases.ts";
import { walletServers } from "../../services/wallet-servers.ts";
import { type CuttableServer, cuttable } from "./cuttable-server.ts";
import { type PrivateServer, privateMysql } from "./private-server.ts";

/** A second MySQL server for ledgers and gift records, `b`, beside that of the tests, `home`. */
export interface SecondServer {
  readonly urls: Readonly<Record<"home" | "b", string>>;
  /** What nodes reach `b` by. */
  readonly wire: CuttableServer;
  close(): Promise<void>;
}

/** Starts it, and names both in the environment: nodes that start from now on use them. */
export async function addSecondServer(): Promise<SecondServer> {
  const home = process.env.MYSQL_URL as string;
  const server: PrivateServer = await privateMysql();
  const wire = await cuttable(server.url);
  process.env.WALLET_MYSQL_URLS = `home=${home},b=${wire.url}`;
  for (const service of ["wallet", "gift"] as const) await migrate(databaseName(service), migrationFolders[service]);
  await addServers(walletServers() as never, home);
  return {
    urls: { home, b: server.url },
    wire,
    async close() {
      delete process.env.WALLET_MYSQL_URLS;
      await wire.close();
      await server.close();
    },
  };
}

/** Rows of a service's database on one of the servers. BIGINTs come as strings. */
export async function rowsAt<Row extends object>(
  url: string,
  service: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const connection = await createConnection({
    ...{ uri: url, database: databaseName(service), supportBigNumbers: true, bigNumberStrings: true, timezone: "Z" },
  });
  try {
    return (await connection.query(sql, values))[0] as Row[];
  } finally {
    await connection.end();
  }
}

let next = 0;

/** New users of a bucket. */
export function usersOf(bucket: number, count: number): string[] {
  const size = BigInt(limits.wallet.storeBuckets);
  const base = (9_600_000_000_000_000_000n / size) * size + BigInt(bucket);
  return Array.from({ length: count }, () => String(base + size * BigInt(next++)));
}
