import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { failureName } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { type CatalogueState, catalogueTableMixin } from "../../../mixins/catalogue-table.mixin.ts";
import { healthMixin } from "../../../mixins/health.mixin.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import { mysqlMixin } from "../../../mixins/mysql.mixin.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { CatalogueCache, giftColumns } from "../../../services/gift/catalogue-cache.ts";
import { catalogueChecksum } from "../../../services/gift/gift-store.ts";
import { type CuttableServer, cuttable } from "../../support/cuttable-server.ts";
import { type PrivateServer, privateMysql } from "../../support/private-server.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

const shared = process.env.MYSQL_URL as string;
/** Accounts are the server's, not a database's. Not by config(), which keeps the first MYSQL_URL that it sees. */
const guest = `${process.env.NAMESPACE}_guest`;
const account = `'${guest}'@'127.0.0.1'`;

// The server that fails; after a failover the address leads to the server that all tests share.
let server: PrivateServer;
let address: CuttableServer;
/** Past the code under test, with every right. */
let admin: Connection;
let name: string;

beforeAll(async () => {
  server = await privateMysql();
  admin = await createConnection(server.url);
  await admin.query(`CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY 'secret'`);
  await admin.query(
    `GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES ON *.* TO ${account}`,
  );
  address = await cuttable(server.url);
  // As in production: an account that read_only holds for.
  process.env.MYSQL_URL = address.url.replace(/\/\/[^@]+@/, `//${guest}:secret@`);
  name = databaseName("gift");
  await migrate(name, migrationFolders.gift);
}, 60_000);
afterAll(async () => {
  await admin.query("SET GLOBAL read_only = 0");
  await admin.end();
  await address.close();
  await server.close();
});

const outcome = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: Error & { code?: unknown }) => failureName(error) ?? String(error.code),
  );
const insert = "INSERT INTO t_heartbeat (id, beat_time) VALUES (7, UTC_TIMESTAMP(3)) ON DUPLICATE KEY UPDATE id = id";
const heal = (database: Database) =>
  eventually("written again", async () => (await outcome(database.run(insert))) === "done");

describe("a database that refuses for a while is unavailable, and recovers by itself", () => {
  let database: Database;
  beforeEach(async () => {
    database = new Database(name, { connections: 2 });
    expect(await outcome(database.run(insert))).toBe("done");
  });
  afterEach(() => database.close());

  const states: [string, string, string][] = [
    ["a server that takes no writes", "SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0"],
    ["a table that is away", `RENAME TABLE DB.t_heartbeat TO DB.t_away`, `RENAME TABLE DB.t_away TO DB.t_heartbeat`],
    ["a right that was taken", `REVOKE INSERT ON *.* FROM ${account}`, `GRANT INSERT ON *.* TO ${account}`],
  ];
  test.each(states)("%s", async (_what, does, undoes) => {
    await admin.query(does.replaceAll("DB", name));
    try {
      // A right is asked for when a connection is made.
      await killAll();
      await eventually("refused", async () => (await outcome(database.run(insert))) === "unavailable");
      expect(await outcome(database.transaction((tx) => tx.run(insert)))).toBe("unavailable");
    } finally {
      await admin.query(undoes.replaceAll("DB", name));
      await killAll();
    }
    await heal(database);
  });

  const atLogin: [string, string, string][] = [
    ["an account that is locked", `ALTER USER ${account} ACCOUNT LOCK`, `ALTER USER ${account} ACCOUNT UNLOCK`],
    [
      "a password that was changed",
      `ALTER USER ${account} IDENTIFIED BY 'another'`,
      `ALTER USER ${account} IDENTIFIED BY 'secret'`,
    ],
    [
      "an account that may have no more connections",
      `ALTER USER ${account} WITH MAX_CONNECTIONS_PER_HOUR 1`,
      `ALTER USER ${account} WITH MAX_CONNECTIONS_PER_HOUR 0`,
    ],
    ["a database that is away", "DROP DATABASE DB_x", "CREATE DATABASE DB_x"],
  ];
  test.each(atLogin)("%s", async (_what, does, undoes) => {
    await admin.query(`CREATE DATABASE IF NOT EXISTS ${name}_x`);
    const other = new Database(`${name}_x`, { connections: 1 });
    expect(await outcome(other.query("SELECT 1 AS one"))).toBe("done");
    await admin.query(does.replaceAll("DB", name));
    try {
      // Of a limit an hour one connection more is let in.
      await eventually("refused", async () => {
        await killAll();
        return (await outcome(other.query("SELECT 1 AS one"))) === "unavailable";
      });
    } finally {
      await admin.query(undoes.replaceAll("DB", name));
      await admin.query("FLUSH USER_RESOURCES");
    }
    await eventually("answered again", async () => (await outcome(other.query("SELECT 1 AS one"))) === "done");
    await other.close();
    await admin.query(`DROP DATABASE ${name}_x`);
  });

  async function killAll(): Promise<void> {
    await admin.query(`KILL USER ${guest}`);
  }

  test("a refusal costs the pool its connections once in a while, however many there are", async () => {
    await Promise.all([1, 2].map(() => database.query("SELECT SLEEP(0.05) AS slept")));
    await admin.query("SET GLOBAL read_only = 1");
    try {
      await eventually("refused", async () => (await outcome(database.run(insert))) === "unavailable");
      const made = address.made;
      const until = performance.now() + limits.mysql.emptyEveryMs / 2;
      while (performance.now() < until) expect(await outcome(database.run(insert))).toBe("unavailable");
      expect(address.made - made).toBeLessThanOrEqual(4);
    } finally {
      await admin.query("SET GLOBAL read_only = 0");
    }
    await heal(database);
  });

  test("while no server takes writes rows can be read", async () => {
    await admin.query("SET GLOBAL read_only = 1");
    try {
      await eventually("refused", async () => (await outcome(database.run(insert))) === "unavailable");
      expect(await outcome(database.query("SELECT id FROM t_heartbeat"))).toBe("done");
    } finally {
      await admin.query("SET GLOBAL read_only = 0");
    }
    await heal(database);
  });
});

describe("a deadlock", () => {
  test("rolls a single statement back, which is run again", async () => {
    let retries = 0;
    const database = new Database(name, { connections: 3, retried: () => retries++ });
    await database.run("CREATE TABLE IF NOT EXISTS t_pair (id INT PRIMARY KEY, n INT NOT NULL)");
    await database.run("REPLACE INTO t_pair VALUES (1, 0), (2, 0)");
    const other = await createConnection({ uri: server.url, database: name });
    await other.beginTransaction();
    // The server undoes the one that has changed less.
    await other.query("INSERT INTO t_pair SELECT seq + 10, 0 FROM seq_1_to_50");
    await other.query("UPDATE t_pair SET n = 1 WHERE id = 2");
    const single = database.run("UPDATE t_pair SET n = n + 1 WHERE id IN (1, 2)");
    await eventually("it waits for the second row", async () => {
      // The server looks again only where nobody has asked for a tenth of a second.
      await new Promise((resolve) => setTimeout(resolve, 120));
      const [found] = await admin.query("SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'");
      return (found as unknown[]).length > 0;
    });
    await other.query("UPDATE t_pair SET n = 1 WHERE id = 1");
    await other.commit();
    await single;
    expect(retries).toBeGreaterThan(0);
    expect(await database.query("SELECT n FROM t_pair WHERE id < 10 ORDER BY id")).toEqual([{ n: 2 }, { n: 2 }]);
    await database.run("DROP TABLE t_pair");
    await other.end();
    await database.close();
  });
});

describe("after a failover behind one address", () => {
  const shop = {
    name: "shop",
    mixins: [
      healthMixin,
      catalogueTableMixin({ service: "gift", table: "t_gift_config", primaryKey: "giftId", columns: giftColumns }),
      mysqlMixin("gift", migrationFolders.gift),
    ],
  };

  beforeAll(async () => {
    // What replication would have brought over, and one gift that was repriced since.
    const other = await createConnection(shared);
    await other.query(`CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY 'secret'`);
    await other.query(
      `GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES ON *.* TO ${account}`,
    );
    address.leadTo(shared);
    await migrate(name, migrationFolders.gift);
    await other.query(`UPDATE ${name}.t_gift_config SET price = 4321 WHERE gift_id = 22`);
    await other.end();
    address.leadTo(server.url);
  });
  afterAll(async () => {
    address.leadTo(shared);
    await stopAll();
    const other = await createConnection(shared);
    await other.query(`DROP DATABASE IF EXISTS ${name}`);
    await other.query(`DROP USER IF EXISTS ${account}`);
    await other.end();
  });

  test("the pool, the catalogue's own and the cached catalogue leave the demoted primary, also where all they do is read", async () => {
    const node = await startNode("shop", [shop as never]);
    const { mysql, catalogue } = node.getLocalService("shop") as unknown as MysqlState &
      CatalogueState<typeof giftColumns>;
    const shelf = new CatalogueCache(catalogue, async () => `${await catalogueChecksum(mysql)} ${mysql.generation}`);
    const price = async () => {
      await shelf.check();
      return (await shelf.gift(22))?.price;
    };
    const healthy = async () => (await node.call<{ mysql: unknown }, object>("shop.health", {})).mysql === true;
    // Several connections of each pool that stay with the old server.
    await Promise.all(Array.from({ length: 4 }, () => mysql.query("SELECT SLEEP(0.05) AS slept")));
    const before = await price();
    expect(before).not.toBe(4321);
    expect(await healthy()).toBe(true);
    await admin.query("SET GLOBAL read_only = 1");
    await eventually("not ready", async () => !(await healthy()));
    expect(await outcome(catalogue.update(22, { price: 1 }))).toBe("unavailable");
    address.leadTo(shared);
    await eventually("the new price", async () => (await price()) === 4321);
    await eventually("ready", healthy);
    const rows = Array.from({ length: 4 }, () =>
      mysql.query<{ port: number }>("SELECT @@port AS port, SLEEP(0.05) AS slept"),
    );
    const ports = (await Promise.all(rows)).map(([row]) => Number(row?.port));
    expect(new Set(ports)).toEqual(new Set([Number(new URL(shared).port)]));
    expect((await catalogue.update(22, { price: 4322 }))?.price).toBe(4322);
    expect((await shelf.check().then(() => shelf.gift(22)))?.price).toBe(4322);
  });
});
