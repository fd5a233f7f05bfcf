import type { Connection, ResultSetHeader, RowDataPacket } from "mysql2/promise";
import { databaseName } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import { Database } from "../mixins/mysql/database.ts";
import { migrate } from "../mixins/mysql/migrate.ts";
import { runDdl } from "../mixins/mysql/patient-ddl.ts";
import { openConnection } from "../mixins/mysql/servers.ts";
import { migrationFolders } from "../services/databases.ts";
import { idBase, urlAt, type WalletServer } from "../services/wallet-servers.ts";

/**
 * Databases by user: makes the further servers of WALLET_MYSQL_URLS ready (services/wallet-servers.ts). Every step may be
 * repeated, while nodes run. A server that a move names stays: its number is in the ids of its rows.
 */

/** The services whose rows are by user. */
export const servicesByUser = ["wallet", "gift"] as const;

/** The tables whose ids are told from those of other servers. */
const numberedTables = {
  wallet: ["t_qiyu_currency_trade", "t_wallet_debt", "t_income_posting", "t_income_hold_gift"],
  gift: ["t_gift_record"],
} as const;

/** What a server has no rows of before it has a name. */
const mustBeEmpty = {
  wallet: [
    ...numberedTables.wallet,
    "t_qiyu_currency_account",
    "t_qiyu_currency_trade_archive",
    "t_wallet_bucket_move",
  ],
  gift: [...numberedTables.gift, "t_gift_record_archive"],
} as const;

/** The release whose nodes know of several servers. */
const serversRelease = 2;

/** Of the home server and of the others: an account's bucket, by which a move finds it. */
const bucketColumn = `ALTER TABLE t_qiyu_currency_account
  ADD COLUMN store_bucket SMALLINT UNSIGNED AS (user_id MOD ${limits.wallet.storeBuckets}) VIRTUAL`;
const bucketIndex = "ALTER TABLE t_qiyu_currency_account ADD KEY idx_store_bucket (store_bucket, user_id)";
/** An anchor is paid on her server what she earned on all of them: the auditor compares the sums. */
const dropCheck = "ALTER TABLE t_anchor_income DROP CONSTRAINT ck_paid_out_earned";

/** Changes the tables of a server's wallet beside running nodes. */
async function changeTables(url: string): Promise<void> {
  const database = new Database(databaseName("wallet"), { url, connections: 1, statementTimeoutMs: 0 });
  try {
    for (const statement of [bucketColumn, bucketIndex, dropCheck]) await runDdl(database, statement, true);
  } finally {
    await database.close();
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

interface NamedRow {
  readonly name: string;
  readonly number: number;
  readonly isSelf: boolean;
}

/** The servers that a database names; none where it is not there yet. */
async function namesAt(connection: Connection): Promise<NamedRow[]> {
  const [tables] = await connection.query<RowDataPacket[]>("SHOW TABLES LIKE 't_server'");
  if (tables.length === 0) return [];
  const [rows] = await connection.query<RowDataPacket[]>("SELECT name, number, is_self FROM t_server");
  return rows.map(({ name, number, is_self }) => ({ name, number: Number(number), isSelf: Number(is_self) === 1 }));
}

/** Names the home server in its own database. @throws Error where it has another name */
async function nameHome(home: Connection, name: string): Promise<NamedRow[]> {
  const before = (await namesAt(home)).find(({ isSelf }) => isSelf);
  if (before && (before.name !== name || before.number !== 0))
    throw new Error(
      `the server of MYSQL_URL is ${before.name}, number ${before.number}, and not the home server ${name}`,
    );
  await home.query("INSERT IGNORE INTO t_server (name, number, is_self) VALUES (?, 0, 1)", [name]);
  return namesAt(home);
}

/** The databases of a further server that are there. It may have none yet. */
async function presentAt(url: string): Promise<(typeof servicesByUser)[number][]> {
  const connection = await openConnection(url);
  try {
    const [rows] = await connection.query<RowDataPacket[]>(
      "SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name IN (?)",
      [servicesByUser.map((service) => databaseName(service))],
    );
    return servicesByUser.filter((service) => rows.some(({ name }) => name === databaseName(service)));
  } finally {
    await connection.end();
  }
}

/**
 * Looks at a further server before anything is written there. Returns the number that it has by its own row. @throws Error
 * where it is another server of this or of another system, or has rows that nobody of this name has written
 */
async function lookAt({ name, url }: WalletServer, service: keyof typeof numberedTables): Promise<number | undefined> {
  return withDatabase(url, service, async (connection) => {
    const names = await namesAt(connection);
    const self = names.find(({ isSelf }) => isSelf);
    const foreign = names.find((row) => row.name !== name || !row.isSelf || row.number === 0);
    if (foreign)
      throw new Error(`the server of ${name} in WALLET_MYSQL_URLS is ${self?.name ?? "of others"}: check the URL`);
    if (self) return self.number;
    for (const table of mustBeEmpty[service]) {
      const [tables] = await connection.query<RowDataPacket[]>("SHOW TABLES LIKE ?", [table]);
      if (tables.length === 0) continue;
      const [rows] = await connection.query<RowDataPacket[]>(`SELECT 1 AS one FROM ${table} LIMIT 1`);
      if (rows.length > 0)
        throw new Error(`the server of ${name} in WALLET_MYSQL_URLS has rows in ${table} already: check the URL`);
    }
    return undefined;
  });
}

/** The number of each further server: the one that a database has for it, else the next. @throws Error where two differ */
function chooseNumbers(further: readonly WalletServer[], known: readonly NamedRow[], own: readonly NamedRow[]) {
  const numbers = new Map<string, number>();
  const taken = new Set([0, ...known.map(({ number }) => number), ...own.map(({ number }) => number)]);
  for (const { name } of further) {
    const told = new Set([...known, ...own].filter((row) => row.name === name).map(({ number }) => number));
    if (told.size > 1) throw new Error(`server ${name} has the numbers ${[...told].join(", ")}`);
    const [number = Math.max(...taken) + 1] = told;
    const other = [...known, ...own].find((row) => row.number === number && row.name !== name);
    if (other) throw new Error(`servers ${name} and ${other.name} have one number, ${number}`);
    taken.add(number);
    numbers.set(name, number);
  }
  return numbers;
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

/** One command at a time gives numbers. The lock ends with its connection. */
async function alone<T>(adminUrl: string, work: () => Promise<T>): Promise<T> {
  return withDatabase(adminUrl, "wallet", async (connection) => {
    const seconds = limits.wallet.addServersLockMs / 1_000;
    const [[row]] = await connection.query<RowDataPacket[]>("SELECT GET_LOCK(?, ?) AS taken", [
      ...[`${databaseName("wallet")}:servers`, seconds],
    ]);
    if (Number(row?.taken) !== 1) throw new Error("another command adds servers");
    return work();
  });
}

/**
 * Adds the servers with an administrator's URL of the home server, whose login is used where a URL has none. Looks at all
 * of them before anything is written on a further one; the home server names one last of all, once it is ready: nodes ask
 * for what it names. Migrates the databases of the further ones; those of the home server are migrated. Returns the number
 * of each. @throws Error where a URL leads elsewhere than its name says
 */
export function addServers(
  [home, ...named]: readonly [WalletServer, ...WalletServer[]],
  adminUrl: string,
): Promise<Map<string, number>> {
  const further = named.map((server) => ({ name: server.name, url: urlAt(server, adminUrl) }));
  return alone(adminUrl, async () => {
    const known: NamedRow[] = [];
    const own: NamedRow[] = [];
    for (const service of servicesByUser)
      known.push(...(await withDatabase(adminUrl, service, (connection) => nameHome(connection, home.name))));
    for (const server of further)
      for (const service of await presentAt(server.url)) {
        const number = await lookAt(server, service);
        if (number !== undefined) own.push({ name: server.name, number, isSelf: true });
      }
    const numbers = chooseNumbers(further, known, own);
    for (const server of further)
      for (const service of servicesByUser) {
        await migrate(databaseName(service), migrationFolders[service], undefined, server.url);
        await withDatabase(server.url, service, async (connection) => {
          const number = numbers.get(server.name) as number;
          await connection.query("INSERT IGNORE INTO t_server (name, number, is_self) VALUES (?, ?, 1)", [
            ...[server.name, number],
          ]);
          await raiseIds(connection, service, number);
        });
      }
    for (const url of [adminUrl, ...further.map((server) => server.url)]) {
      await changeTables(url);
      await withDatabase(url, "wallet", (connection) => addGates(connection, url === adminUrl));
    }
    for (const service of servicesByUser)
      await withDatabase(adminUrl, service, async (connection) => {
        for (const [name, number] of numbers) await nameAtHome(connection, name, number);
      });
    return new Map([[home.name, 0], ...numbers]);
  });
}

/**
 * From now on nodes that do not know the server do not start, and those that run write no ledger: they check their setting
 * with each new revision of the archive. Nodes of release 1 and of builds without servers know neither.
 */
async function nameAtHome(home: Connection, name: string, number: number): Promise<void> {
  await home.query(
    `INSERT INTO t_migration_release (name, release_number, needs_release, begin_time)
     VALUES (?, ?, ?, UTC_TIMESTAMP(3)) ON DUPLICATE KEY UPDATE needs_release = VALUES(needs_release)`,
    ["services/wallet-servers", serversRelease, serversRelease],
  );
  await home.beginTransaction();
  const [{ affectedRows }] = await home.query<ResultSetHeader>(
    "INSERT IGNORE INTO t_server (name, number, is_self) VALUES (?, ?, 0)",
    [name, number],
  );
  // Waits for the transactions that run, and lets none begin before the commit.
  if (affectedRows > 0) await home.query("UPDATE t_archive_revision SET revision = revision + 1");
  await home.commit();
}

/**
 * Takes the name of a server back that no bucket was ever planned to move to: one that was added by mistake. Its databases
 * stay. @throws Error where a move names it, or it is not a further server
 */
export function removeServer(name: string, adminUrl: string): Promise<void> {
  return alone(adminUrl, async () => {
    await withDatabase(adminUrl, "wallet", async (connection) => {
      const [result] = await connection.query<ResultSetHeader>(
        `DELETE FROM t_server WHERE name = ? AND number > 0 AND NOT EXISTS
           (SELECT 1 FROM t_wallet_bucket_move WHERE source = ? OR target = ?)`,
        [name, name, name],
      );
      if (result.affectedRows === 0)
        throw new Error(`${name} is no further server, or a move names it: its number is in ids of rows`);
    });
    await withDatabase(adminUrl, "gift", (connection) =>
      connection.query("DELETE FROM t_server WHERE name = ? AND number > 0", [name]),
    );
  });
}
