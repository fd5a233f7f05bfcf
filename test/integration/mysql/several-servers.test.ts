import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { Sequelize } from "sequelize";
import { failureName } from "../../../broker/failure.ts";
import { config, databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { placesOf } from "../../../config/server-urls.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { connectionOptions, Freshness } from "../../../mixins/mysql/sequelize-connections.ts";
import { mysqlServers, openConnection, standingOf } from "../../../mixins/mysql/servers.ts";
import { type CuttableServer, cuttable } from "../../support/cuttable-server.ts";
import { eventually } from "../../support/eventually.ts";
import { type PrivateServer, privateMysql } from "../../support/private-server.ts";

/** A URL that names two servers, one of which goes away under writes. */

jest.setTimeout(60_000);

const shared = process.env.MYSQL_URL as string;
const name = databaseName("several");
const folders = ["mixins/outbox/migrations"];
/** Accounts are the server's, not a database's. */
const guest = `${config().NAMESPACE}_guest`;
const narrow = `${config().NAMESPACE}_narrow`;
const urlOf = (...urls: string[]) => `mysql://${guest}:secret@${urls.map(placesOf).join(",")}`;

let admins: Connection[] = [];
const adminOf = async (url: string) => {
  const admin = await createConnection(url);
  admins.push(admin);
  return admin;
};

/** On a server: an account that read_only holds for, and the tables. */
async function prepare(url: string): Promise<Connection> {
  const admin = await adminOf(url);
  await migrate(name, folders, undefined, url);
  await admin.query(`CREATE USER IF NOT EXISTS '${guest}'@'127.0.0.1' IDENTIFIED BY 'secret'`);
  await admin.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${name}.* TO '${guest}'@'127.0.0.1'`);
  await admin.query(`CREATE TABLE ${name}.t_written (biz_id VARCHAR(40) NOT NULL PRIMARY KEY, times INT NOT NULL)`);
  return admin;
}

const written = async (admin: Connection): Promise<string[]> => {
  const [rows] = await admin.query(`SELECT biz_id, times FROM ${name}.t_written`);
  const list = rows as { biz_id: string; times: number }[];
  expect(list.filter(({ times }) => times !== 1)).toEqual([]);
  return list.map(({ biz_id }) => biz_id);
};

let database: Database;
let gaveUp: string[];
let servers: CuttableServer[];

async function open(url: string): Promise<void> {
  gaveUp = [];
  database = new Database(name, { url, connections: 4, gaveUp: (why) => gaveUp.push(why) });
}

/** One transaction with a business id: a repeat finds its row. */
const writeOnce = (id: string) =>
  database
    .transaction(async (tx) => {
      const found = await tx.query("SELECT 1 FROM t_written WHERE biz_id = ?", [id]);
      if (found.length === 0) await tx.run("INSERT INTO t_written (biz_id, times) VALUES (?, 1)", [id]);
    })
    .then(
      () => "done",
      (error: Error) => failureName(error) ?? error.message,
    );

/** Writes in four lanes and repeats what is unavailable. `act` runs in the middle. Resolves to the longest pause, ms. */
async function writeWhile(what: string, act: () => unknown): Promise<{ ids: string[]; longestMs: number }> {
  const ids = Array.from({ length: 400 }, (_one, at) => `${what}-${at}`);
  let [next, longestMs] = [0, 0];
  const lane = async () => {
    for (let at = next++; at < ids.length; at = next++) {
      if (at === ids.length / 2) await act();
      const startedAt = performance.now();
      await eventually(
        `${ids[at]} is written`,
        async () => {
          const outcome = await writeOnce(ids[at] as string);
          expect(["done", "unavailable"]).toContain(outcome);
          return outcome === "done";
        },
        20_000,
      );
      longestMs = Math.max(longestMs, performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: 4 }, lane));
  return { ids, longestMs };
}

afterEach(async () => {
  await database?.close();
  for (const server of servers ?? []) await server.close();
});

describe("two ways to one server, as to a cluster that commits everywhere", () => {
  let admin: Connection;
  beforeAll(async () => {
    admin = await prepare(shared);
  });
  afterAll(async () => {
    await admin.query(`DROP DATABASE ${name}`);
    await admin.query(`DROP USER IF EXISTS '${guest}'@'127.0.0.1'`);
  });
  beforeEach(async () => {
    servers = [await cuttable(shared), await cuttable(shared)];
    await open(urlOf(...servers.map(({ url }) => url)));
  });

  const goings: [string, (server: CuttableServer) => void, number][] = [
    ["breaks", (server) => server.cut(), 10_000],
    // A look every 2 s, in which a silent server has 2 s to answer.
    ["hangs", (server) => server.silence(), 13_000],
  ];
  test.each(goings)(
    "the first %s under writes: the second takes over, and each write is there once",
    async (what, go, withinMs) => {
      const [first, second] = servers as [CuttableServer, CuttableServer];
      const { ids, longestMs } = await writeWhile(what, () => go(first));
      expect(longestMs).toBeLessThan(withinMs);
      expect((await written(admin)).filter((id) => id.startsWith(`${what}-`)).sort()).toEqual([...ids].sort());
      expect(gaveUp.join()).toContain(`is left for ${placesOf(second.url)}`);
    },
  );

  test("once the first is back it is used again, and no write fails for it", async () => {
    const [first] = servers as [CuttableServer, CuttableServer];
    first.cut();
    expect(await writeOnce("back")).toBe("done");
    first.mend();
    const before = first.made;
    const returned = async () => {
      expect(await writeOnce("back")).toBe("done");
      return gaveUp.at(-1)?.includes(`is left for ${placesOf(first.url)}`);
    };
    await eventually("back at the first", returned, 15_000);
    expect(await writeOnce("back")).toBe("done");
    expect(first.made).toBeGreaterThan(before);
  });

  test("with neither of them it is unavailable within its bound, and heals", async () => {
    expect(await writeOnce("neither")).toBe("done");
    for (const server of servers) server.cut();
    const startedAt = performance.now();
    expect(await writeOnce("neither")).toBe("unavailable");
    expect(performance.now() - startedAt).toBeLessThan(3 * limits.mysql.serverProbeMs);
    servers[1]?.mend();
    await eventually("written again", async () => (await writeOnce("neither")) === "done");
  });

  test("the catalogue and tools go where the pool goes", async () => {
    servers[0]?.cut();
    const url = urlOf(...servers.map((server) => server.url));
    process.env.SEVERAL_MYSQL_URL = url;
    const { dialect, ...rest } = connectionOptions("several", 1_000, new Freshness(() => 0), () => database.server());
    const catalogue = new Sequelize({ ...rest, dialect });
    expect(await catalogue.query("SELECT 1 AS one")).toBeTruthy();
    await catalogue.close();
    const tool = await openConnection(url);
    await tool.query("SELECT 1");
    await tool.end();
    delete process.env.SEVERAL_MYSQL_URL;
  });
});

/** In front of the shared server: it hands on the greeting, and nothing that the client says. */
async function greetingOnly(): Promise<{ url: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const { hostname, port } = new URL(shared);
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) sockets.add(socket.on("error", () => {}));
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(shared);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

describe("what a look finds", () => {
  const look = (url: string) => standingOf(mysqlServers(url)[0]);

  test("a server that answers, one that lets this login not in again, one that only greets, one that is away", async () => {
    const admin = await createConnection(shared);
    const limit = "IDENTIFIED BY 'secret' WITH MAX_USER_CONNECTIONS 1";
    await admin.query(`CREATE USER IF NOT EXISTS '${narrow}'@'127.0.0.1' ${limit}`);
    const full = `mysql://${narrow}:secret@${placesOf(shared)}`;
    const held = await createConnection(full);
    const greeting = await greetingOnly();
    try {
      expect(await look(shared)).toBe("writable");
      expect(await look(full)).toBe("full");
      const startedAt = performance.now();
      expect(await look(greeting.url)).toBe("slow");
      expect(performance.now() - startedAt).toBeLessThan(limits.mysql.serverProbeMs + 5_000);
      await expect(look("mysql://a:b@127.0.0.1:1")).rejects.toThrow(/ECONNREFUSED/);
      // A tool does not write where the services do not.
      const both = `mysql://${narrow}:secret@${placesOf(shared)},${placesOf(greeting.url)}`;
      await expect(openConnection(both)).rejects.toMatchObject({ errno: 1226 });
    } finally {
      await held.end();
      await greeting.close();
      await admin.query(`DROP USER IF EXISTS '${narrow}'@'127.0.0.1'`);
      await admin.end();
    }
  });
});

describe("a primary that moves", () => {
  let server: PrivateServer;
  let first: Connection;
  let second: Connection;
  beforeAll(async () => {
    server = await privateMysql();
    first = await prepare(server.url);
    second = await prepare(shared);
  });
  afterAll(async () => {
    await second.query(`DROP DATABASE ${name}`);
    await second.query(`DROP USER IF EXISTS '${guest}'@'127.0.0.1'`);
    for (const admin of admins) await admin.end();
    admins = [];
    await server.close();
  });

  test("the first takes no more writes: the second takes over, and each write is at one of them", async () => {
    servers = [];
    await open(urlOf(server.url, shared));
    const { ids, longestMs } = await writeWhile("moves", () => first.query("SET GLOBAL read_only = 1"));
    expect(longestMs).toBeLessThan(10_000);
    const [there, here] = [await written(first), await written(second)];
    expect(there.length).toBeGreaterThan(0);
    expect(here.length).toBeGreaterThan(0);
    expect([...there, ...here].sort()).toEqual([...ids].sort());
  });

  test("where no server takes writes rows can be read, and writes are unavailable", async () => {
    servers = [];
    await first.query("SET GLOBAL read_only = 1");
    await open(urlOf(server.url));
    await database.close();
    await open(`${urlOf(server.url)},127.0.0.1:1`);
    expect(await writeOnce("none")).toBe("unavailable");
    expect((await database.query("SELECT biz_id FROM t_written LIMIT 1")).length).toBe(1);
    await first.query("SET GLOBAL read_only = 0");
    await eventually("written", async () => (await writeOnce("none")) === "done");
  });
});
