import type { Connection, RowDataPacket } from "mysql2/promise";
import { databaseName, serviceUrlName } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import { applyLogin, databasePlace, loginOf, type Privileges } from "../mixins/mysql/grants.ts";
import { migrate } from "../mixins/mysql/migrate.ts";
import { openConnection } from "../mixins/mysql/servers.ts";
import { migrationFolders } from "../services/databases.ts";
import { idBase, urlAt, type WalletServer } from "../services/wallet-servers.ts";
import { type DatabaseService, movingPrivileges, privilegesFor } from "./databases.ts";

/**
 * Databases by user: makes the further servers of WALLET_MYSQL_URLS ready (services/wallet-servers.ts). Every step may be
 * repeated, while nodes run. A server that was added stays: its number is in the ids of its rows.
 */

/** The services whose rows are by user. */
export const servicesByUser = ["wallet", "gift"] as const;

/** The tables whose ids are told from those of other servers. */
const numberedTables = {
  wallet: ["t_qiyu_currency_trade", "t_wallet_debt", "t_income_posting", "t_income_hold_gift"],
  gift: ["t_gift_record"],
} as const;

/** Of the home server and of the others: an account's bucket, by which a move finds it. */
const bucketColumn = `ALTER TABLE t_qiyu_currency_account
  ADD COLUMN store_bucket SMALLINT UNSIGNED AS (user_id MOD ${limits.wallet.storeBuckets}) VIRTUAL`;
const bucketIndex = "ALTER TABLE t_qiyu_currency_account ADD KEY idx_store_bucket (store_bucket, user_id)";
/** An anchor is paid on her server what she earned on all of them: the auditor compares the sums. */
const dropCheck = "ALTER TABLE t_anchor_income DROP CONSTRAINT ck_paid_out_earned";

/** ER_DUP_FIELDNAME, ER_DUP_KEYNAME, ER_CANT_DROP_FIELD_OR_KEY, ER_CONSTRAINT_NOT_FOUND: it was done before. */
const doneBefore: ReadonlySet<unknown> = new Set([1060, 1061, 1091, 3940]);

async function once(connection: Connection, statement: string): Promise<void> {
  try {
    await connection.query(statement);
  } catch (error) {
    if (!doneBefore.has((error as { errno?: unknown }).errno)) throw error;
  }
}

async function withDatabase<T>(url: string, service: string, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await openConnection(url, { database: databaseName(service) });
  try {
    return await work(connection);
  } finally {
    await connection.end();
  }
}

/** The number of a server by the home server, which gives it one where it has none. */
async function numberOf(home: Connection, name: string, isHome: boolean): Promise<number> {
  const find = async () => {
    const [[row]] = await home.query<RowDataPacket[]>("SELECT number FROM t_server WHERE name = ?", [name]);
    return row === undefined ? undefined : Number(row.number);
  };
  if (isHome) await home.query("INSERT IGNORE INTO t_server (name, number, is_self) VALUES (?, 0, 1)", [name]);
  else if ((await find()) === undefined)
    await home.query(
      "INSERT INTO t_server (name, number, is_self) SELECT ?, MAX(number) + 1, 0 FROM t_server HAVING COUNT(*) > 0",
      [name],
    );
  const number = await find();
  if (number === undefined) throw new Error(`the home server has another name than ${name}`);
  return number;
}

/** The next id of each table is beyond the server's base. */
async function raiseIds(connection: Connection, service: keyof typeof numberedTables, number: number): Promise<void> {
  for (const table of numberedTables[service]) {
    const [[row]] = await connection.query<RowDataPacket[]>(
      `SELECT CAST(COALESCE(MAX(id), 0) AS CHAR) AS last FROM ${table}`,
    );
    if (BigInt(row?.last ?? 0) < idBase(number))
      await connection.query(`ALTER TABLE ${table} AUTO_INCREMENT = ${idBase(number) + 1n}`);
  }
}

/** Whether the bucket's rows are written here at first: on the home server. */
async function addGates(connection: Connection, isOpen: boolean): Promise<void> {
  const rows = Array.from({ length: limits.wallet.storeBuckets }, (_, bucket) => [bucket, isOpen ? 1 : 0, 0]);
  await connection.query("INSERT IGNORE INTO t_wallet_gate (bucket, is_open, revision) VALUES ?", [rows]);
}

async function addSelf(connection: Connection, name: string, number: number): Promise<void> {
  await connection.query("INSERT IGNORE INTO t_server (name, number, is_self) VALUES (?, ?, 1)", [name, number]);
  const [[self]] = await connection.query<RowDataPacket[]>("SELECT name FROM t_server WHERE is_self = 1");
  if (self?.name !== name)
    throw new Error(`the server of ${name} in WALLET_MYSQL_URLS is ${self?.name}: check the URL`);
}

/**
 * Adds the servers, home first, with an administrator's URL of the home server, whose login is used where a URL has none.
 * Migrates the databases of the further ones; those of the home server are migrated. Returns the number of each.
 */
export async function addServers(
  [home, ...further]: readonly [WalletServer, ...WalletServer[]],
  adminUrl: string,
): Promise<Map<string, number>> {
  const numbers = new Map<string, number>();
  for (const service of servicesByUser) {
    for (const server of further)
      await migrate(databaseName(service), migrationFolders[service], undefined, urlAt(server, adminUrl));
    await withDatabase(adminUrl, service, async (connection) => {
      numbers.set(home.name, await numberOf(connection, home.name, true));
      for (const { name } of further) {
        const number = await numberOf(connection, name, false);
        const known = numbers.get(name) ?? number;
        if (known !== number) throw new Error(`server ${name} has number ${known} at wallet and ${number} at gift`);
        numbers.set(name, number);
      }
    });
    for (const server of further)
      await withDatabase(urlAt(server, adminUrl), service, async (connection) => {
        const number = numbers.get(server.name) as number;
        await raiseIds(connection, service, number);
        await addSelf(connection, server.name, number);
      });
  }
  for (const server of [home, ...further])
    await withDatabase(server === home ? adminUrl : urlAt(server, adminUrl), "wallet", async (connection) => {
      await once(connection, bucketColumn);
      await once(connection, bucketIndex);
      await once(connection, dropCheck);
      await addGates(connection, server === home);
    });
  return numbers;
}

/**
 * What a service's login may do on a further server. The auditor and the archiver have no database there: one reads what is
 * by user, the other moves closed months.
 */
function privilegesAt(namespace: string, service: DatabaseService): Privileges | undefined {
  if (service === "auditor")
    return new Map(servicesByUser.map((other) => [databasePlace(databaseName(other, namespace)), ["SELECT"]]));
  if (service === "archiver") return movingPrivileges(namespace, service);
  return (servicesByUser as readonly string[]).includes(service) ? privilegesFor(namespace, service) : undefined;
}

/** Gives the services' logins, by their URLs at the home server, the rights of their jobs on the further servers. */
export async function grantAtServers(
  [, ...further]: readonly [WalletServer, ...WalletServer[]],
  { adminUrl, namespace, urls }: { adminUrl: string; namespace: string; urls: ReadonlyMap<DatabaseService, string> },
): Promise<void> {
  for (const server of further) {
    const admin = await openConnection(urlAt(server, adminUrl));
    try {
      for (const [service, url] of urls) {
        const privileges = privilegesAt(namespace, service);
        if (privileges) await applyLogin(admin, loginOf(url, serviceUrlName("MYSQL_URL", service)), privileges);
      }
    } finally {
      await admin.end();
    }
  }
}
