/** A server, or a proxy before it, that completes the login of a connection and then never answers its first statement. */
import { Sequelize } from "sequelize";
import { failureName } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { connectionOptions, Freshness } from "../../../mixins/mysql/sequelize-connections.ts";
import { mysqlServers } from "../../../mixins/mysql/servers.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { type GatedServer, gated } from "../../support/gated-server.ts";
import { stopAll } from "../../support/system.ts";

const slackMs = 2_000;
let server: GatedServer;

beforeAll(async () => {
  server = await gated(process.env.MYSQL_URL as string);
  process.env.MYSQL_URL = server.url;
  await migrate(databaseName("gift"), migrationFolders.gift);
});
afterAll(async () => {
  await stopAll();
  await server.close();
});

const outcome = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => failureName(error) ?? String(error),
  );

test("session settings that are not answered are an outage in bounded time; the place in the pool is free again", async () => {
  const database = new Database(databaseName("gift"), { connections: 1, statementTimeoutMs: 1_000 });
  const stands = server.standsAt({ sends: [/SET SESSION TRANSACTION/], keepBack: "request" });
  const startedAt = performance.now();
  expect(await outcome(database.query("SELECT 1 AS one"))).toBe("unavailable");
  expect(performance.now() - startedAt).toBeLessThan(1_000 + slackMs);
  await stands;
  expect(await outcome(database.query("SELECT 1 AS one"))).toBe("done");
  await database.close();
});

test("the catalogue's connections are bounded from their first statement too", async () => {
  const [place] = mysqlServers(process.env.MYSQL_URL as string);
  const { dialect, ...rest } = connectionOptions("gift", 1_000, new Freshness(() => 0), async () => place);
  const catalogue = new Sequelize({ ...rest, dialect });
  for (let places = rest.pool?.max ?? 0; places > 0; places--) {
    const stands = server.standsAt({ sends: [/SET time_zone/], keepBack: "request" });
    const startedAt = performance.now();
    expect(await outcome(catalogue.query("SELECT 1 AS one"))).not.toBe("done");
    expect(performance.now() - startedAt).toBeLessThan(limits.mysql.connectTimeoutMs);
    await stands;
  }
  expect(await outcome(catalogue.query("SELECT 1 AS one"))).toBe("done");
  const [[row]] = (await catalogue.query("SELECT @@session.time_zone AS zone")) as [{ zone: string }[], unknown];
  expect(row?.zone).toBe("+00:00");
  await catalogue.close();
});
