import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import type { JetStreamManager, NatsConnection } from "nats";
import { connectNats } from "../../broker/nats-connect.ts";
import { natsOptions } from "../../broker/nats-options.ts";
import { sentinelsOf } from "../../config/server-urls.ts";
import { type Answered, mysqlServers, standingOf } from "../../mixins/mysql/servers.ts";
import { readStackEnv } from "../../scripts/stack/env-file.ts";
import { HaStack } from "../../scripts/stack/ha/ha-stack.ts";
import type { HaKind } from "../../scripts/stack/ha/server.ts";
import { ensureNatsLogin } from "../../scripts/stack/nats-logins.ts";
import { prepareRedis } from "../../scripts/stack/redis-logins.ts";
import { type Stack, stackStatus, startStack, stopStack } from "../../scripts/stack/stack.ts";
import { becomesTrue } from "../../scripts/stack/wait.ts";
import { redisServices } from "../../services/redis-access.ts";
import { QueueInUse } from "../support/stream-in-use.ts";
import { whileRunning } from "../support/while-running.ts";

/** Servers in the plural, from Debian's packages: what is lost with one server of each kind, and that it comes back. */

jest.setTimeout(120_000);

/** The longest pause of writes after the loss of the server that took them. */
const pauseMs = 20_000;

const dir = realpathSync(mkdtempSync(join(tmpdir(), "ovation-ha-")));
const lines: string[] = [];
const { NATS_URL: _nats, REDIS_URL: _redis, MYSQL_URL: _mysql, ...env } = process.env;
let stack: Stack;
let ha: HaStack;
let redis: Redis;
let nats: NatsConnection;
let streams: JetStreamManager;
/** What the database has confirmed. */
const written: number[] = [];

/**
 * Tries until it succeeds, also where a server that is busy for a moment lets its clients wait too long. Fails with the
 * last error after `pauseMs`.
 */
async function soon<T>(what: string, task: () => Promise<T>): Promise<T> {
  let outcome: { value: T } | undefined;
  let complaint: unknown;
  const done = await becomesTrue(
    async () => {
      try {
        outcome = { value: await task() };
        return true;
      } catch (error) {
        complaint = error;
        return false;
      }
    },
    pauseMs,
    100,
  );
  if (!done || outcome === undefined) throw new Error(`not within ${pauseMs} ms: ${what}: ${String(complaint)}`);
  return outcome.value;
}

async function query(url: string, sql: string, values: unknown[] = []): Promise<RowDataPacket[]> {
  const connection = await createConnection({ uri: url, connectTimeout: 3000 });
  try {
    const [rows] = await connection.query<RowDataPacket[]>({ sql, values, timeout: 3000 });
    return rows;
  } finally {
    connection.destroy();
  }
}

/** Writes a row, which is there once however often it is tried. */
async function writeRow(id: number): Promise<void> {
  await soon("MySQL", () => query(stack.mysqlUrl, "INSERT IGNORE INTO ha_test.t_row (id) VALUES (?)", [id]));
  written.push(id);
}

const nodeUrl = (n: number) => {
  const url = new URL(stack.mysqlUrl);
  url.port = String(ha.server(`mysql-${n}`).port);
  return url.href;
};

const writer = () =>
  soon("the writer", async () => String((await query(stack.mysqlUrl, "SELECT @@wsrep_node_name AS name"))[0]?.name));

const idsAt = (url: string) =>
  soon("the rows", async () =>
    (await query(url, "SELECT id FROM ha_test.t_row ORDER BY id")).map(({ id }) => Number(id)),
  );

function viaSentinels(url: string): Redis {
  const about = sentinelsOf(url);
  if (about === undefined) throw new Error("no sentinels");
  const { sentinels, name, username, password, sentinelUsername, sentinelPassword } = about;
  const at = sentinels.map(({ host, port }) => ({ host, port }));
  const login = { username, password, sentinelUsername, sentinelPassword };
  const client = new Redis({ sentinels: at, name, ...login, commandTimeout: 1000, maxRetriesPerRequest: 1 });
  // Commands reject with the reason.
  client.on("error", () => {});
  return client;
}

const masterOf = async (client: Redis) => {
  const about = await soon("the master of Redis", () => client.info("server"));
  const port = Number(/tcp_port:(\d+)/.exec(about)?.[1]);
  return ha.ofKind("redis").find((server) => server.port === port)?.name as string;
};

/** Through another server where this one passes no requests on to one that came back: nodes do so by themselves. */
const leaderOf = (stream: string) =>
  soon(`the leader of ${stream}`, async () => {
    const info = await streams.streams.info(stream).catch(async (error: unknown) => {
      await nats.reconnect();
      throw error;
    });
    const leader = info.cluster?.leader?.at(-1);
    if (leader === undefined) throw new Error("one is being elected");
    return `nats-${leader}`;
  });

/** A message that is there once however often it is tried. */
const publish = (id: string) =>
  soon("JetStream", () => nats.jetstream().publish("ha.one", id, { msgID: id, timeout: 2000 }));

beforeAll(async () => {
  const began = performance.now();
  stack = await startStack({
    dir,
    ha: true,
    env,
    preferredPorts: { ha: randomInt(18_000, 30_000) },
    log: (line) => lines.push(line),
  });
  console.info(`the HA stack was ready after ${((performance.now() - began) / 1000).toFixed(1)} s`);
  ha = HaStack.of(dir) as HaStack;
  redis = viaSentinels(stack.redisUrl);
  nats = await connectNats(natsOptions("ha-test", stack.natsUrl));
  streams = await nats.jetstreamManager();
});

afterAll(async () => {
  redis?.disconnect();
  await nats?.close();
  await stopStack({ dir, force: true, log: () => undefined });
  const left = execFileSync("ps", ["-eww", "-o", "pid=,args="], { encoding: "utf8" });
  expect(left.split("\n").filter((line) => line.includes(`${dir}/`))).toEqual([]);
  rmSync(dir, { recursive: true, force: true });
});

test("every server has its part, and the env file names all of them", async () => {
  await soon("every server has its part", async () => {
    const parts = new Map((await stackStatus(dir)).servers.map(({ name, part }) => [name, part]));
    const partsOf = (kind: HaKind) => ha.ofKind(kind).map(({ name }) => parts.get(name));
    expect(partsOf("nats").toSorted()).toEqual(["meta follower", "meta follower", "meta leader"]);
    expect(partsOf("mysql")).toEqual(["Primary, Synced", "Primary, Synced", "Primary, Synced"]);
    // Of the three any one may write, or be the master: a first one that stalls is replaced.
    expect(parts.get("proxy")).toMatch(/^writes to mysql-[123]$/);
    expect(partsOf("redis").toSorted()).toEqual(["master of 2", "replica", "replica"]);
    const master = ha.ofKind("redis").find(({ name }) => parts.get(name) === "master of 2")?.name;
    const watched = `watches ${master}, 3 sentinels`;
    expect(partsOf("sentinel")).toEqual([watched, watched, watched]);
  });
  const kept = readStackEnv(dir);
  expect(kept).toMatchObject({ JETSTREAM_REPLICAS: "3", MYSQL_URL: stack.mysqlUrl, REDIS_URL: stack.redisUrl });
  expect(kept.WALLET_NATS_URL?.split(",").map((url) => new URL(url).port)).toEqual(
    ha.ofKind("nats").map(({ port }) => String(port)),
  );
});

test("a second user adopts the servers", async () => {
  const other = await startStack({ dir, env, log: () => undefined });
  expect(other).toMatchObject({ started: false, natsUrl: stack.natsUrl, mysqlUrl: stack.mysqlUrl });
  await other.stop();
  await soon("all servers answer", async () => {
    const { servers } = await stackStatus(dir);
    expect(servers.filter(({ state }) => state !== "answers")).toEqual([]);
  });
});

test("a queue in use comes back from its snapshot on all servers, and everything that is sent to it afterwards is read", async () => {
  const queue = await QueueInUse.make({ nats, folder: dir, name: "HA-QUEUE" }, 3);
  await queue.loseAndRestore();
  await queue.expectRead(20);
  await soon("it is on all servers, and empty", async () => {
    const { state, cluster } = await queue.info();
    expect([state.messages, cluster?.replicas?.map(({ current }) => current)]).toEqual([0, [true, true]]);
  });
  await streams.streams.delete("HA-QUEUE");
});

test("what was confirmed is there after the server that took it was killed, and writes go on", async () => {
  await soon("MySQL", () => query(stack.mysqlUrl, "CREATE DATABASE IF NOT EXISTS ha_test"));
  await soon("MySQL", () => query(stack.mysqlUrl, "CREATE TABLE IF NOT EXISTS ha_test.t_row (id INT PRIMARY KEY)"));
  const stream = { name: "HA", subjects: ["ha.>"], num_replicas: 3, duplicate_window: 60e9 };
  await soon("JetStream", () => streams.streams.add(stream));
  await writeRow(1);
  await publish("first");
  // WAIT is about what its own connection wrote.
  await soon("Redis has it three times", async () => {
    await redis.set("key", "first");
    expect(await redis.wait(2, 500)).toBe(2);
  });

  const killed = [await leaderOf("HA"), await writer(), await masterOf(redis)];
  await Promise.all(killed.map((name) => ha.kill(name)));
  const began = performance.now();
  const after = (what: string) => console.info(`${what} after ${((performance.now() - began) / 1000).toFixed(1)} s`);
  await Promise.all([
    publish("second").then(() => after("JetStream confirms")),
    writeRow(2).then(() => after("MySQL confirms")),
    soon("Redis", () => redis.set("second", "there")).then(() => after("Redis confirms")),
  ]);
  expect((await soon("NATS", () => streams.streams.info("HA"))).state.messages).toBe(2);
  expect(await idsAt(stack.mysqlUrl)).toEqual([1, 2]);
  expect(await soon("Redis", () => redis.get("key"))).toBe("first");
  expect(killed).not.toContain(await writer());

  // Made while one of each is away, at those that run.
  const login = { role: "wallet", namespace: "hatest" } as const;
  const { env: atNats } = await ensureNatsLogin(dir, login);
  const urls = await prepareRedis(dir, { adminUrl: stack.redisUrl, namespace: "hatest", services: redisServices });
  const [one] = Object.values(urls);

  const open = await soon("MySQL", () => createConnection(stack.mysqlUrl));
  const writes = await writerOf(open);
  await Promise.all(killed.map((name) => ha.start(name)));
  await Promise.all(killed.map((name) => ha.waitUntilJoined(name)));
  // The one that came back writes nothing beside the one that does.
  const still = await writerOf(open).catch((error: unknown) => {
    // The proxy ends the sessions of a node that it puts out, as it rightly does with one that is busy for too long.
    throw new Error(`not within 1000 ms: ${writes} answers the checks of the proxy: ${String(error)}`);
  });
  await open.end();
  expect([still, await writer()]).toEqual([writes, writes]);

  const [at] = (atNats.NATS_URL as string)
    .split(",")
    .filter((url) => url.includes(`:${ha.server(killed[0] as string).port}`));
  await (await connectNats(natsOptions("ha-login", at as string))).close();
  const known = new Redis({ host: "127.0.0.1", port: ha.server(killed[2] as string).port, ...loginIn(one as string) });
  expect(await known.ping()).toBe("PONG");
  known.disconnect();
});

/** The node at which a connection is. */
async function writerOf(connection: Connection): Promise<string> {
  const [[row]] = await connection.query<RowDataPacket[]>("SELECT @@wsrep_node_name AS name");
  return String(row?.name);
}

/** Of a URL of Redis. */
function loginIn(url: string): { username: string; password: string } {
  const about = sentinelsOf(url);
  return { username: about?.username ?? "", password: about?.password ?? "" };
}

test("a server that lost its disk gets everything from the others, while writes go on", async () => {
  const last = "mysql-3";
  let id = 100;
  const write = async (isOver: () => boolean) => {
    while (!isOver()) await writeRow(++id);
  };
  await whileRunning(write, async () => {
    await Promise.all([ha.wipe(last), ha.wipe("nats-3")]);
    const began = performance.now();
    await Promise.all([last, "nats-3"].map((name) => ha.start(name).then(() => ha.waitUntilJoined(name))));
    console.info(`joined again after ${((performance.now() - began) / 1000).toFixed(1)} s, ${id - 100} rows meanwhile`);
  });
  for (const n of [1, 2, 3]) {
    await soon(`mysql-${n}`, async () => expect(await idsAt(nodeUrl(n))).toEqual(written.toSorted((a, b) => a - b)));
  }
});

test("a node that is not Synced says so to those who choose among the servers", async () => {
  const standing = (n: number) => standingOf(mysqlServers(nodeUrl(n))[0]);
  const becomes = (wanted: Answered) =>
    soon(`mysql-3 is ${wanted}`, async () => expect(await standing(3)).toBe(wanted));
  const desync = (value: "ON" | "OFF") =>
    soon("mysql-3", () => query(nodeUrl(3), `SET GLOBAL wsrep_desync = ${value}`));
  await becomes("writable");
  await desync("ON");
  await becomes("notSynced");
  await desync("OFF");
  await becomes("writable");
});

test("a server that was paused does not hold up the others, and joins them again", async () => {
  const paused = [await leaderOf("HA"), await writer()];
  await Promise.all(paused.map((name) => ha.pause(name)));
  await Promise.all([publish("third"), writeRow(50)]);
  const states = (await stackStatus(dir)).servers.filter(({ state }) => state === "paused");
  expect(states.map(({ name }) => name).toSorted()).toEqual(paused.toSorted());
  await Promise.all(paused.map((name) => ha.resume(name)));
  await Promise.all(paused.map((name) => ha.waitUntilJoined(name)));
  // A node that was paused takes a moment to notice that it was put out.
  await soon("MySQL has everything again", async () =>
    expect(await idsAt(nodeUrl(Number(paused[1]?.at(-1))))).toEqual(written.toSorted((a, b) => a - b)),
  );
});
