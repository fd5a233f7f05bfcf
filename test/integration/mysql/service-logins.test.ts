import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Connection, createConnection } from "mysql2/promise";
import { config, databaseName, serviceUrlName } from "../../../config/config.ts";
import { projectRoot } from "../../../config/root.ts";
import { applyLogin, databasePlace, loginOf, privilegesOf } from "../../../mixins/mysql/grants.ts";
import { type DatabaseService, databaseServices, grantLogins, prepareDatabases } from "../../../scripts/databases.ts";
import { dropNamespace } from "../../../scripts/drop-namespace.ts";
import { readStackEnv } from "../../../scripts/stack/env-file.ts";
import { loginName } from "../../../scripts/stack/mysql-logins.ts";
import { movesRowsIn } from "../../../services/archive-rights.ts";
import { databaseRights, erasableColumns, readsDatabasesOf, tableRights } from "../../../services/database-rights.ts";
import { stopAll } from "../../support/system.ts";

/** Codes of refusals: of the database, of the table, of an operation on the server. */
const refusals = [1044, 1142, 1227];

const namespace = config().NAMESPACE;
const adminUrl = process.env.MYSQL_URL as string;
let stackDir: string;
let urls: Record<string, string>;
let admin: Connection;
const open: Connection[] = [];

beforeAll(async () => {
  stackDir = mkdtempSync(join(tmpdir(), "ovation-logins-"));
  urls = await prepareDatabases({ adminUrl, namespace, stackDir });
  admin = await createConnection(adminUrl);
});
afterAll(async () => {
  await Promise.all([admin, ...open].map((connection) => connection?.end()));
  rmSync(stackDir, { recursive: true, force: true });
  await stopAll();
});

const urlOf = (service: DatabaseService) => urls[serviceUrlName("MYSQL_URL", service)] as string;

async function connectAs(service: DatabaseService): Promise<Connection> {
  const connection = await createConnection({ uri: urlOf(service), database: databaseName(service) });
  open.push(connection);
  return connection;
}

/** "done", or the code of the server's error. */
const outcomeOf = (connection: Connection, sql: string) =>
  connection.query(sql).then(
    () => "done",
    (error: { errno?: number }) => error.errno,
  );

describe.each(databaseServices)("the login of %s", (service) => {
  let connection: Connection;
  beforeAll(async () => {
    connection = await connectAs(service);
  });

  test("may do with each table what its right says, and nothing else", async () => {
    for (const [table, right] of Object.entries(databaseRights[service])) {
      const outcomes = [
        await outcomeOf(connection, `SELECT 1 FROM ${table} LIMIT 1`),
        await outcomeOf(connection, `INSERT INTO ${table} SELECT * FROM ${table} WHERE 1 = 0`),
        await outcomeOf(connection, `UPDATE ${table} SET ${await columnOf(service, table)} WHERE 1 = 0`),
        await outcomeOf(connection, `DELETE FROM ${table} WHERE 1 = 0`),
      ].map((outcome) => outcome !== 1142 && outcome !== 1143);
      const allowed: readonly string[] = tableRights[right];
      const wanted = ["SELECT", "INSERT", "UPDATE", "DELETE"].map((privilege) => allowed.includes(privilege));
      expect([table, outcomes]).toEqual([table, wanted]);
    }
  });

  test("may empty the texts that may be erased, and no other column of their tables", async () => {
    for (const table of Object.keys(databaseRights[service])) {
      const texts = erasableColumns[table] ?? [];
      for (const text of texts)
        expect([text, await outcomeOf(connection, `UPDATE ${table} SET ${text} = '' WHERE 1 = 0`)]).toEqual([
          text,
          "done",
        ]);
      if (texts.length > 0)
        expect([table, await outcomeOf(connection, `UPDATE ${table} SET id = 1 WHERE 1 = 0`)]).not.toEqual([
          table,
          "done",
        ]);
    }
  });

  test("sees no other database but those that it compares, and has neither DDL nor GRANT nor files", async () => {
    const [tables] = await connection.query("SELECT DISTINCT table_schema AS name FROM information_schema.tables");
    const others = [...(readsDatabasesOf[service] ?? []), ...Object.keys(movesRowsIn[service] ?? {})];
    const read = others.map((other) => databaseName(other));
    const seen = (tables as { name: string }[]).map(({ name }) => name);
    const known = ["information_schema", "performance_schema", databaseName(service)];
    expect(seen.filter((name) => !known.includes(name)).sort()).toEqual(read.sort());
    const another = service === "wallet" ? "gift" : "wallet";
    const hidden = service === "user" ? "gift" : "user";
    const [table] = Object.keys(databaseRights[service]);
    for (const sql of [
      `SELECT * FROM ${databaseName(hidden)}.t_migration`,
      `INSERT INTO ${databaseName(another)}.t_lease VALUES ('x', 'x', NOW())`,
      "SELECT * FROM mysql.user",
      `CREATE TABLE t_new (id INT)`,
      `ALTER TABLE ${table} ADD COLUMN extra INT`,
      `TRUNCATE TABLE ${table}`,
      `DROP TABLE ${table}`,
      `RENAME TABLE ${table} TO t_other`,
      `CREATE TRIGGER tr BEFORE INSERT ON ${table} FOR EACH ROW SET @x = 1`,
      `CREATE DATABASE ${namespace}_more`,
      `LOCK TABLES ${table} WRITE`,
      `GRANT SELECT ON ${table} TO CURRENT_USER()`,
      "CREATE USER IF NOT EXISTS 'intruder'@'%' IDENTIFIED BY 'x'",
      "SELECT 1 INTO OUTFILE '/tmp/ovation-out'",
      "SET GLOBAL read_only = 1",
    ])
      expect([sql, refusals.includes((await outcomeOf(connection, sql)) as number)]).toEqual([sql, true]);
  });
});

async function columnOf(service: DatabaseService, table: string): Promise<string> {
  const [rows] = await admin.query(
    `SELECT column_name AS name FROM information_schema.columns
     WHERE table_schema = ? AND table_name = ? AND generation_expression IS NULL
     ORDER BY ordinal_position LIMIT 1`,
    [databaseName(service), table],
  );
  const { name } = (rows as { name: string }[])[0] as { name: string };
  return `${name} = ${name}`;
}

test("a row of the ledger cannot be changed, locked, replaced or removed with the wallet's login", async () => {
  await admin.query(
    `INSERT INTO ${databaseName("wallet")}.t_qiyu_currency_trade (user_id, num, type, status, biz_id, balance_after)
     VALUES (1, 10, 1, 1, 'order:1', 10)`,
  );
  const wallet = await connectAs("wallet");
  const into =
    "t_qiyu_currency_trade (user_id, num, type, status, biz_id, balance_after) VALUES (1, 5, 1, 1, 'order:1', 5)";
  for (const sql of [
    "UPDATE t_qiyu_currency_trade SET num = 5000000 WHERE biz_id = 'order:1'",
    "DELETE FROM t_qiyu_currency_trade WHERE biz_id = 'order:1'",
    `REPLACE INTO ${into}`,
    `INSERT INTO ${into} ON DUPLICATE KEY UPDATE num = 5`,
  ])
    expect([sql, await outcomeOf(wallet, sql)]).toEqual([sql, 1142]);
  // The unique key refuses a second row; no row is changed.
  expect(await outcomeOf(wallet, `INSERT INTO ${into}`)).toBe(1062);
  const [rows] = await wallet.query("SELECT num FROM t_qiyu_currency_trade WHERE biz_id = 'order:1'");
  expect((rows as { num: number }[]).map(({ num }) => Number(num))).toEqual([10]);
});

test("the passwords are random, kept in a file for its owner alone, and the same at the next start", async () => {
  const passwords = new Set(Object.values(urls).map((url) => new URL(url).password));
  expect(passwords.size).toBe(databaseServices.length);
  for (const password of passwords) expect(password.length).toBeGreaterThanOrEqual(32);
  expect(statSync(join(stackDir, "env")).mode & 0o777).toBe(0o600);
  expect(readStackEnv(stackDir)).toEqual(urls);
  expect(await prepareDatabases({ adminUrl, namespace, stackDir })).toEqual(urls);
});

test("granting a second time changes nothing, and a right too many is taken away", async () => {
  const before = await allPrivileges();
  const given = new Map(databaseServices.map((service) => [service, urlOf(service)]));
  await grantLogins(adminUrl, namespace, given);
  expect(await allPrivileges()).toEqual(before);
  const user = loginName(namespace, "wallet");
  await admin.query(`GRANT DELETE ON ${databaseName("wallet")}.t_qiyu_currency_trade TO ?@'%'`, [user]);
  await admin.query(`GRANT ALL ON \`${databaseName("gift").replaceAll("_", "\\_")}\`.* TO ?@'%' WITH GRANT OPTION`, [
    user,
  ]);
  await admin.query("GRANT PROCESS ON *.* TO ?@'%'", [user]);
  expect(await allPrivileges()).not.toEqual(before);
  await grantLogins(adminUrl, namespace, given);
  expect(await allPrivileges()).toEqual(before);
});

const allPrivileges = () =>
  Promise.all(
    databaseServices.map(async (service) => {
      const found = [...(await privilegesOf(admin, loginName(namespace, service)))];
      return found.map(([place, privileges]) => [place, privileges.sort()]).sort();
    }),
  );

test("npm run migrate makes the databases and the logins that are named, and a second run changes nothing", async () => {
  const other = `${namespace.slice(0, 20)}_b`;
  const own = new URL(adminUrl);
  Object.assign(own, { username: loginName(other, "wallet"), password: "of-the-operators-choice" });
  const env = {
    ...{ PATH: process.env.PATH, PROFILE: "production", NAMESPACE: other, STACK_DIR: join(stackDir, "none") },
    ...{ MYSQL_MIGRATION_URL: adminUrl, WALLET_MYSQL_URL: own.href },
  };
  const script = join(projectRoot(), "scripts/migrate.ts");
  const run = async () => (await promisify(execFile)(process.execPath, [script], { env })).stdout;
  const state = async () => {
    const [applied] = await admin.query(`SELECT * FROM ${databaseName("wallet", other)}.t_migration ORDER BY name`);
    return [applied, [...(await privilegesOf(admin, loginName(other, "wallet")))].sort()];
  };
  try {
    expect(await run()).toContain("has the rights of wallet");
    const before = await state();
    const wallet = await createConnection({ uri: own.href, database: databaseName("wallet", other) });
    open.push(wallet);
    expect(await outcomeOf(wallet, "DELETE FROM t_qiyu_currency_trade")).toBe(1142);
    expect(await outcomeOf(wallet, "DELETE FROM t_outbox")).toBe("done");
    expect(await run()).toContain(`${databaseName("wallet", other)}`.padEnd(24));
    expect(await state()).toEqual(before);
    // A login that is not named is neither made nor changed.
    expect([...(await privilegesOf(admin, loginName(other, "gift")))]).toEqual([]);
  } finally {
    const { REDIS_URL: redisUrl, NATS_URL: natsUrl } = process.env as Record<string, string>;
    await dropNamespace(other, { mysqlUrl: adminUrl, redisUrl: redisUrl as string, natsUrl: natsUrl as string });
  }
}, 90_000);

test("a node of one service does not start in production with a secret of another, and says which", async () => {
  const env = {
    ...{ PATH: process.env.PATH, PROFILE: "production", NAMESPACE: namespace, STACK_DIR: join(stackDir, "none") },
    ...{ NATS_URL: process.env.NATS_URL, REDIS_URL: process.env.REDIS_URL, WALLET_MYSQL_URL: urlOf("wallet") },
  };
  const script = join(projectRoot(), "scripts/node.ts");
  const ended = promisify(execFile)(process.execPath, [script, "im-server"], { env, timeout: 25_000 });
  const { code, stderr } = (await ended.catch((error: unknown) => error)) as { code?: number; stderr: string };
  expect([code, stderr.trim()]).toEqual([
    1,
    "A node of im-server must not have these secrets in production:\n  WALLET_MYSQL_URL: is for wallet alone",
  ]);
});

test("a login that compares the books reads another's database and changes nothing there", async () => {
  const user = `${namespace}_reader`;
  const privileges = new Map([[databasePlace(databaseName("wallet")), ["SELECT"]]]);
  await applyLogin(admin, { user, password: "of-the-test" }, privileges);
  const url = new URL(adminUrl);
  Object.assign(url, { username: user, password: "of-the-test" });
  const reader = await createConnection({ uri: url.href, database: databaseName("wallet") });
  open.push(reader);
  try {
    expect(await outcomeOf(reader, "SELECT * FROM t_qiyu_currency_trade")).toBe("done");
    expect(await outcomeOf(reader, "UPDATE t_qiyu_currency_account SET status = 1")).toBe(1142);
    expect(await outcomeOf(reader, `SELECT * FROM ${databaseName("gift")}.t_gift_record`)).toBe(1142);
  } finally {
    await admin.query("DROP USER ?@'%'", [user]);
  }
});

test("two services with one login are both named, and neither login nor database is touched", async () => {
  const before = await allPrivileges();
  const shared = new Map([["gift", urlOf("gift")] as const, ["wallet", urlOf("gift")] as const]);
  await expect(grantLogins(adminUrl, namespace, shared)).rejects.toThrow(
    `GIFT_MYSQL_URL and WALLET_MYSQL_URL have one login, ${loginName(namespace, "gift")}`,
  );
  const other = `${namespace.slice(0, 20)}_c`;
  const env = {
    ...{ PATH: process.env.PATH, PROFILE: "production", NAMESPACE: other, STACK_DIR: join(stackDir, "none") },
    ...{ MYSQL_MIGRATION_URL: adminUrl, GIFT_MYSQL_URL: urlOf("gift"), WALLET_MYSQL_URL: urlOf("gift") },
  };
  const ended = promisify(execFile)(process.execPath, [join(projectRoot(), "scripts/migrate.ts")], { env });
  const { code, stderr } = (await ended.catch((error: unknown) => error)) as { code?: number; stderr: string };
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^GIFT_MYSQL_URL and WALLET_MYSQL_URL have one login/)]);
  const [databases] = await admin.query("SHOW DATABASES LIKE ?", [
    databaseName("wallet", other).replaceAll("_", "\\_"),
  ]);
  expect(databases).toEqual([]);
  expect(await allPrivileges()).toEqual(before);
});

test("a right to a column is taken away; an account of the name at another host, and a role, are refused by name", async () => {
  const user = loginName(namespace, "wallet");
  const role = `${namespace.slice(0, 20)}_role`;
  const given = new Map([["wallet", urlOf("wallet")] as const]);
  const before = await allPrivileges();
  await admin.query(`GRANT UPDATE (num, status) ON ${databaseName("wallet")}.t_qiyu_currency_trade TO ?@'%'`, [user]);
  await grantLogins(adminUrl, namespace, given);
  const wallet = await connectAs("wallet");
  expect(await outcomeOf(wallet, "UPDATE t_qiyu_currency_trade SET num = 1 WHERE 1 = 0")).toBe(1142);
  expect(await allPrivileges()).toEqual(before);
  try {
    await admin.query("CREATE USER ?@'10.%' IDENTIFIED BY 'x'", [user]);
    await expect(grantLogins(adminUrl, namespace, given)).rejects.toThrow(`there is another account '${user}'@'10.%'`);
    await admin.query("DROP USER ?@'10.%'", [user]);
    await admin.query(`CREATE ROLE ${role}`);
    await admin.query(`GRANT ${role} TO ?@'%'`, [user]);
    await expect(grantLogins(adminUrl, namespace, given)).rejects.toThrow(/it has the role .*_role/);
  } finally {
    await admin.query("DROP USER IF EXISTS ?@'10.%'", [user]);
    await admin.query(`DROP ROLE IF EXISTS ${role}`);
  }
  await grantLogins(adminUrl, namespace, given);
  expect(await allPrivileges()).toEqual(before);
});

test("the login of the migrations is never cut down to a service's rights", async () => {
  await expect(grantLogins(adminUrl, namespace, new Map([["wallet", adminUrl]]))).rejects.toThrow(
    /^WALLET_MYSQL_URL has the login of the migrations/,
  );
  expect(loginOf(adminUrl, "x").user).not.toBe(loginName(namespace, "wallet"));
});

test("a long namespace has logins of a length that MySQL takes, one for each service", () => {
  const names = databaseServices.map((service) => loginName("a".repeat(24), service));
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name.length).toBeLessThanOrEqual(32);
});
