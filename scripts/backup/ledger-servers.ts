import type { Connection } from "mysql2/promise";
import { limits } from "../../config/limits.ts";
import { placesOf } from "../../config/server-urls.ts";
import { numbersOf, requireSelf } from "../../services/server-names-store.ts";
import { BucketMap } from "../../services/wallet/buckets/bucket-map.ts";
import { moveIds, openMoves, readBuckets } from "../../services/wallet/buckets/bucket-store.ts";
import { postingOfOther } from "../../services/wallet/buckets/carry-store.ts";
import { compareGates, type Gate } from "../../services/wallet/buckets/compare-gates.ts";
import { readGates } from "../../services/wallet/buckets/gate-store.ts";
import { urlAt, type WalletServer, walletServers } from "../../services/wallet-servers.ts";
import { databaseOn, isNothingThere, openAdmin } from "./admin-connection.ts";

/**
 * The servers of ledgers and gift records (services/wallet-servers.ts), for an administrator who backs all of them up or
 * restores them.
 */

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

/** As `numbersOf`. A home server that no release with several servers has migrated names none. */
export async function numbersAtHome(home: Connection, further: readonly WalletServer[]): Promise<Map<string, number>> {
  try {
    return await numbersOf(await databaseOn(home, "wallet"), further);
  } catch (error) {
    if (further.length === 0 && isNothingThere(error)) return new Map();
    throw error;
  }
}

/** @throws Error where a URL leads to another server than its name says, or to one without a wallet's tables */
export async function requireName(connection: Connection, name: string): Promise<void> {
  try {
    await requireSelf(await databaseOn(connection, "wallet"), name);
  } catch (error) {
    if (!isNothingThere(error)) throw error;
    throw new Error(`WALLET_MYSQL_URLS: the server of ${name} has no wallet: check the URL`, { cause: error });
  }
}

interface NamedConnection {
  readonly name: string;
  readonly connection: Connection;
}

/**
 * Why these servers' databases do not fit each other: a bucket was on its way from one to another at the moment of one of
 * them, so its coins would be on both, or on none. `undefined`: each bucket is open on one server, at the revision of the
 * map; no move has begun; and no server has postings of a move that the home server does not know yet: before its target's
 * gate is opened a move shows there by these alone. The home server first.
 */
export async function bucketFault([home, ...further]: readonly [NamedConnection, ...NamedConnection[]]): Promise<
  string | undefined
> {
  if (further.length === 0) return undefined;
  const atHome = await databaseOn(home.connection, "wallet");
  const [move] = await openMoves(atHome);
  if (move) return `bucket ${move.bucket} is on its way to ${move.target}`;
  const { buckets, left } = await readBuckets(atHome);
  const map = new BucketMap(home.name, buckets, left);
  const gates = new Map<string, readonly Gate[]>();
  for (const { name, connection } of [home, ...further])
    gates.set(name, await readGates(await databaseOn(connection, "wallet")));
  const [fault] = compareGates({ map, buckets: limits.wallet.storeBuckets, gates, moving: new Set() });
  if (fault) return `the gates of bucket ${fault.bucket} are not as the map says, ${fault.kind} (${fault.about})`;
  const moves = await moveIds(atHome);
  for (const { name, connection } of [home, ...further]) {
    const other = await postingOfOther(await databaseOn(connection, "wallet"), moves);
    if (other) return `${name} has ${other.bizId}, of a move that the home server does not know`;
  }
  return undefined;
}

/**
 * Says which move the home server knows that it did not know at its snapshot: the other snapshots may have a part of it.
 * `undefined`: none.
 */
export async function movedSince(snapshot: Connection, homeUrl: string): Promise<string | undefined> {
  const before = await moveIds(await databaseOn(snapshot, "wallet"));
  const fresh = await openAdmin(homeUrl);
  try {
    const since = [...(await moveIds(await databaseOn(fresh, "wallet")))].find((id) => !before.has(id));
    return since === undefined ? undefined : `move ${since} began after the home server's snapshot`;
  } finally {
    await fresh.end();
  }
}
