import type { Connection } from "mysql2/promise";
import { databaseName } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { placesOf } from "../../config/server-urls.ts";
import { urlAt, type WalletServer, walletServers } from "../../services/wallet-servers.ts";
import { rowsOf } from "./admin-connection.ts";
import { named } from "./dump-text.ts";

/**
 * The servers of ledgers and gift records (services/wallet-servers.ts), for an administrator who backs all of them up or
 * restores them.
 */

/** Error codes: no such table, no such database. */
const nothingThere: ReadonlySet<unknown> = new Set([1146, 1049]);

/**
 * The further servers of WALLET_MYSQL_URLS, by the administrator's login at the home server. @throws Error where the URL
 * is not that of the home server
 */
export function furtherByAdmin(mysqlUrl: string): readonly WalletServer[] {
  const [home, ...further] = walletServers() ?? [];
  if (!home || further.length === 0) return [];
  if (placesOf(home.url) !== placesOf(mysqlUrl))
    throw new Error(
      `WALLET_MYSQL_URLS: ${home.name} is not the server of MYSQL_MIGRATION_URL, where what is of no user is`,
    );
  return further.map((server) => ({ name: server.name, url: urlAt(server, mysqlUrl) }));
}

interface NameRow {
  name: string;
  number: number;
  is_self: number;
}

const wallet = (table: string) => `${named(databaseName("wallet"))}.${table}`;

async function namesAt(connection: Connection): Promise<NameRow[]> {
  try {
    return await rowsOf<NameRow>(connection, `SELECT name, number, is_self FROM ${wallet("t_server")}`);
  } catch (error) {
    // A server without the databases, or one that no release with several servers has migrated.
    if (nothingThere.has((error as { errno?: unknown }).errno)) return [];
    throw error;
  }
}

/**
 * The numbers of the further servers, as the home server has them. @throws Error where it names others than these, whose
 * rows would be missing
 */
export async function numbersAtHome(
  home: Connection,
  further: readonly Pick<WalletServer, "name">[],
): Promise<Map<string, number>> {
  const rows = (await namesAt(home)).filter(({ number }) => Number(number) > 0);
  const missing = rows.filter(({ name }) => !further.some((one) => one.name === name)).map(({ name }) => name);
  const unknown = further.filter(({ name }) => !rows.some((row) => row.name === name)).map(({ name }) => name);
  if (missing.length > 0)
    throw new Error(`WALLET_MYSQL_URLS lacks ${missing.join(", ")}, which the home server names: it may have users`);
  if (unknown.length > 0) throw new Error(`the home server does not name ${unknown.join(", ")} of WALLET_MYSQL_URLS`);
  return new Map(rows.map(({ name, number }) => [name, Number(number)]));
}

/** @throws Error where a URL leads to another server than its name says */
export async function requireName(connection: Connection, name: string): Promise<void> {
  const self = (await namesAt(connection)).find(({ is_self }) => Number(is_self) === 1);
  if (self?.name !== name)
    throw new Error(`the server of ${name} in WALLET_MYSQL_URLS is ${self?.name ?? "no such server"}: check the URL`);
}

export interface NamedConnection {
  readonly name: string;
  readonly connection: Connection;
}

interface GateRow {
  bucket: number;
  is_open: number;
  revision: number;
}

/**
 * Why these servers' databases do not fit each other: a bucket was on its way from one to another at the moment of one of
 * them, so its coins would be on both, or on none. `undefined`: each bucket is open on one server, at the revision of the
 * map, and no move has begun. The home server first.
 */
export async function bucketFault([home, ...further]: readonly [NamedConnection, ...NamedConnection[]]): Promise<
  string | undefined
> {
  if (further.length === 0) return undefined;
  const [move] = await rowsOf<{ bucket: number; target: string }>(
    home.connection,
    `SELECT bucket, target FROM ${wallet("t_wallet_bucket_move")} WHERE open_bucket IS NOT NULL ORDER BY id LIMIT 1`,
  );
  if (move) return `bucket ${move.bucket} is on its way to ${move.target}`;
  const map = new Map(
    (
      await rowsOf<{ bucket: number; server: string; revision: number }>(
        home.connection,
        `SELECT bucket, server, revision FROM ${wallet("t_wallet_bucket")}`,
      )
    ).map(({ bucket, server, revision }) => [Number(bucket), { server, revision: Number(revision) }]),
  );
  for (const { name, connection } of [home, ...further]) {
    const rows = await rowsOf<GateRow>(connection, `SELECT bucket, is_open, revision FROM ${wallet("t_wallet_gate")}`);
    const gates = new Map(rows.map((row) => [Number(row.bucket), row]));
    for (let bucket = 0; bucket < limits.wallet.storeBuckets; bucket++) {
      const { server, revision } = map.get(bucket) ?? { server: home.name, revision: 0 };
      const gate = gates.get(bucket);
      const isOpen = Number(gate?.is_open) === 1;
      if (isOpen !== (server === name) || (isOpen && Number(gate?.revision) !== revision))
        return (
          `bucket ${bucket} is at ${server} by the home server, at revision ${revision}, and ${name} has it ` +
          `${isOpen ? "open" : "closed"} at ${gate?.revision ?? "none"}`
        );
    }
  }
  return undefined;
}
