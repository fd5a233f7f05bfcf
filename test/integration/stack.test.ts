import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Redis } from "ioredis";
import { createConnection } from "mysql2/promise";
import { connect } from "nats";
import { natsOptions } from "../../broker/nats-options.ts";
import { serviceNames } from "../../broker/service-names.ts";
import { serviceUrlName } from "../../config/config.ts";
import { projectRoot } from "../../config/root.ts";
import { type Child, startChild } from "../../scripts/children.ts";
import { readStackEnv, writeStackEnv } from "../../scripts/stack/env-file.ts";
import { ensureNatsLogin } from "../../scripts/stack/nats-logins.ts";
import { isPortFree, LOOPBACK } from "../../scripts/stack/ports.ts";
import type { ServerName } from "../../scripts/stack/server.ts";
import { type StackOptions, stackStatus, startStack, stopStack } from "../../scripts/stack/stack.ts";
import { becomesTrue } from "../../scripts/stack/wait.ts";
import { eventually } from "../support/eventually.ts";

jest.setTimeout(120_000);

const NODE = join(projectRoot(), "node_modules", ".bin", "node");
const dirs: string[] = [];
const helpers: ChildProcess[] = [];
const starters: Child[] = [];

afterEach(async () => {
  for (const helper of helpers.splice(0)) helper.kill("SIGKILL");
  await Promise.all(starters.splice(0).map((starter) => starter.stop(0)));
  for (const dir of dirs.splice(0)) {
    await stopStack({ dir, force: true, log: () => undefined });
    expect(processesOf(dir)).toEqual([]);
    rmSync(dir, { recursive: true, force: true });
  }
});

/** A stack folder and options for it, with ports of its own and no URLs from the test runner's environment. */
function sample(name = "stack"): StackOptions & { dir: string; lines: string[] } {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), `ovation-${name}-`)));
  dirs.push(dir);
  const lines: string[] = [];
  const base = 15_000 + Math.floor(Math.random() * 15_000);
  const preferredPorts = { nats: base, redis: base + 100, mysql: base + 200 };
  return { dir, preferredPorts, env: cleanEnv(), log: (line) => lines.push(line), lines };
}

function cleanEnv(): NodeJS.ProcessEnv {
  const { NATS_URL: _nats, REDIS_URL: _redis, MYSQL_URL: _mysql, ...env } = process.env;
  return env;
}

/** The keys of the env file with a login at NATS each, beside the administrator's. */
const natsLogins = [
  ...["EVENTS_NATS_URL", "NATS_BUS_ADMIN_URL"],
  ...serviceNames.map((service) => serviceUrlName("NATS_URL", service)),
].sort();

/** Command lines that name the folder or its mark; a server of the folder that is alive is among them. */
function processesOf(dir: string): string[] {
  const all = execFileSync("ps", ["-eww", "-o", "pid=,args="], { encoding: "utf8" }).split("\n");
  return all.filter((line) => line.includes(`${dir}/`));
}

async function pidsOf(dir: string): Promise<Record<ServerName, number | undefined>> {
  const { servers } = await stackStatus(dir);
  return Object.fromEntries(servers.map(({ name, pid }) => [name, pid])) as Record<ServerName, number | undefined>;
}

async function statesOf(dir: string): Promise<string[]> {
  return (await stackStatus(dir)).servers.map(({ state }) => state);
}

/** A server that is busy does not answer for a moment. */
const statesBecome = (dir: string, ...wanted: readonly string[]) =>
  eventually(`the states are ${wanted}`, async () => (await statesOf(dir)).join() === wanted.join());

/** Another process that starts the stack, says READY and its own opinion of `started`, and then stays. */
function starter({ dir, preferredPorts }: StackOptions & { dir: string }): Child {
  const module = pathToFileURL(join(projectRoot(), "scripts", "stack", "stack.ts")).href;
  const options = JSON.stringify({ dir, preferredPorts });
  const script = `import { startStack } from ${JSON.stringify(module)};
    const stack = await startStack({ ...${options}, env: process.env });
    process.on("SIGTERM", () => stack.stop().then(() => process.exit(0)));
    setInterval(() => {}, 1000);
    console.log("READY " + stack.started);`;
  const child = startChild({
    name: "starter",
    command: NODE,
    args: ["--input-type=module", "-e", script],
    // What it leaves in its temporary folder when it is killed goes away with the stack's folder.
    env: { NATS_URL: undefined, REDIS_URL: undefined, MYSQL_URL: undefined, NODE_OPTIONS: undefined, TMPDIR: dir },
    output: { file: join(dir, `starter-${starters.length}.log`) },
    ready: /^READY (true|false)$/,
  });
  starters.push(child);
  return child;
}

describe("one stack from start to stop", () => {
  test("three servers that real clients can use, adopted by the second user, gone after the last", async () => {
    const options = sample();
    const stack = await startStack(options);
    expect(stack.started).toBe(true);
    expect(stack.servers).toEqual({ nats: "started", redis: "started", mysql: "started" });
    const natsPort = new URL(stack.natsUrl).port;
    const { NATS_URL, NATS_ADMIN_URL, REDIS_URL, MYSQL_URL, MYSQL_ADMIN_URL, ...logins } = readStackEnv(options.dir);
    expect({ NATS_URL, NATS_ADMIN_URL, REDIS_URL, MYSQL_URL, MYSQL_ADMIN_URL }).toEqual({
      NATS_URL: `nats://127.0.0.1:${natsPort}`,
      NATS_ADMIN_URL: stack.natsUrl,
      REDIS_URL: stack.redisUrl,
      MYSQL_URL: stack.mysqlUrl,
      MYSQL_ADMIN_URL: stack.mysqlUrl,
    });
    expect(Object.keys(logins).sort()).toEqual(natsLogins);

    const nats = await connect(natsOptions("test", stack.natsUrl));
    const manager = await nats.jetstreamManager();
    await manager.streams.add({ name: "SAMPLE", subjects: ["sample.>"] });
    expect((await nats.jetstream().publish("sample.one", "x")).seq).toBe(1);
    await nats.close();

    const redis = new Redis(stack.redisUrl);
    expect(await redis.config("GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "noeviction"]);
    expect(await redis.config("GET", "save")).toEqual(["save", ""]);
    redis.disconnect();

    const mysql = await createConnection(stack.mysqlUrl);
    await mysql.query("CREATE DATABASE ovation_sample");
    const [rows] = await mysql.query(
      "SELECT @@innodb_flush_log_at_trx_commit flush, @@log_bin bin, @@character_set_server charset",
    );
    expect(rows).toEqual([{ flush: 1, bin: 0, charset: "utf8mb4" }]);
    await mysql.end();

    const pids = await pidsOf(options.dir);
    const second = await startStack(options);
    expect(second).toMatchObject({ started: false, natsUrl: stack.natsUrl, mysqlUrl: stack.mysqlUrl });
    expect(second.servers).toEqual({ nats: "adopted", redis: "adopted", mysql: "adopted" });
    expect(await pidsOf(options.dir)).toEqual(pids);

    await writeStackEnv(options.dir, { API_URL: "http://127.0.0.1:1" });
    await stack.stop();
    await stack.stop();
    await statesBecome(options.dir, "answers", "answers", "answers");
    await second.stop();
    expect(await statesOf(options.dir)).toEqual(["stopped", "stopped", "stopped"]);
    expect(processesOf(options.dir)).toEqual([]);
    expect(readStackEnv(options.dir)).toEqual({ API_URL: "http://127.0.0.1:1" });
  });

  test("nobody gets into NATS without a login; one that is added while it runs works, also after the server was killed", async () => {
    const options = sample();
    const { natsUrl } = await startStack(options);
    const address = `nats://${new URL(natsUrl).host}`;
    for (const user of ["", "admin:guess@", "gift:@"])
      await expect(
        connect({ ...natsOptions("test", address.replace("//", `//${user}`)), reconnect: false }),
      ).rejects.toThrow(/authorization/i);
    const login = { role: "gift+wallet", namespace: "sample" };
    const [one, two] = await Promise.all([ensureNatsLogin(options.dir, login), ensureNatsLogin(options.dir, login)]);
    expect(one).toEqual(two);
    expect(Object.keys(one.env).sort()).toEqual(["GIFT_NATS_URL", "NATS_URL", "WALLET_NATS_URL"]);
    const works = async () => {
      for (const url of [one.busUrl, one.env.GIFT_NATS_URL as string]) {
        const connection = await connect({ ...natsOptions("test", url), ignoreAuthErrorAbort: false });
        await connection.close();
      }
    };
    await works();
    const { nats } = await pidsOf(options.dir);
    process.kill(nats as number, "SIGKILL");
    await startStack(options);
    await works();
  });

  test("nobody gets into the database without the password", async () => {
    const options = sample();
    const { mysqlUrl } = await startStack(options);
    const { port } = new URL(mysqlUrl);
    for (const user of ["root", "ovation", ""]) {
      await expect(createConnection({ host: LOOPBACK, port: Number(port), user })).rejects.toThrow(/denied/i);
    }
  });

  test("a folder with a long path works: the socket goes elsewhere, and goes away", async () => {
    const options = sample();
    const dir = join(options.dir, "a".repeat(100), "b c");
    mkdirSync(dir, { recursive: true });
    const stack = await startStack({ ...options, dir });
    const commandLines = processesOf(dir).join("\n");
    const socket = /--socket=(\S+)/.exec(commandLines)?.[1] ?? "";
    expect(socket.startsWith(tmpdir())).toBe(true);
    expect(existsSync(socket)).toBe(true);
    await stack.stop();
    expect(existsSync(join(socket, ".."))).toBe(false);
  });
});

describe("others on this machine", () => {
  test("an occupied port is passed over and its owner is left alone", async () => {
    const options = sample();
    const stranger = createServer((socket) => socket.end("not NATS\r\n"));
    stranger.listen(options.preferredPorts!.nats, LOOPBACK);
    await once(stranger, "listening");
    try {
      const stack = await startStack(options);
      expect(new URL(stack.natsUrl).host).toBe(`127.0.0.1:${options.preferredPorts!.nats! + 1}`);
      await stack.stop();
      expect(await isPortFree(options.preferredPorts!.nats!)).toBe(false);
    } finally {
      stranger.close();
    }
  });

  test("two folders with the same preferred ports get a stack each", async () => {
    const one = sample();
    const two = { ...sample(), preferredPorts: one.preferredPorts };
    const [first, second] = await Promise.all([startStack(one), startStack(two)]);
    expect(first.natsUrl).not.toBe(second.natsUrl);
    expect(first.redisUrl).not.toBe(second.redisUrl);
    await first.stop();
    await statesBecome(two.dir, "answers", "answers", "answers");
  });

  test("a pid file that names somebody else's process is cleaned, and the process lives", async () => {
    const options = sample();
    const stranger = spawn("sleep", ["300"], { stdio: "ignore" });
    helpers.push(stranger);
    for (const name of ["nats", "redis", "mysql"]) {
      mkdirSync(join(options.dir, name), { recursive: true });
      writeFileSync(join(options.dir, name, "pid"), `${stranger.pid}\n`);
      writeFileSync(join(options.dir, name, "server.json"), JSON.stringify({ port: 1, kind: "process" }));
    }
    expect(await statesOf(options.dir)).toEqual(["stopped", "stopped", "stopped"]);
    const stack = await startStack(options);
    expect(stack.servers).toEqual({ nats: "started", redis: "started", mysql: "started" });
    await stack.stop();
    expect(stranger.exitCode).toBeNull();
    expect(stranger.signalCode).toBeNull();
  });

  test("a server named in the environment is neither started nor touched nor written down", async () => {
    const options = sample();
    const given = { REDIS_URL: "redis://127.0.0.1:1", MYSQL_URL: "mysql://someone@127.0.0.1:2" };
    const stack = await startStack({ ...options, env: { ...options.env, ...given } });
    expect(stack).toMatchObject({ redisUrl: given.REDIS_URL, mysqlUrl: given.MYSQL_URL, started: true });
    expect(stack.servers).toEqual({ nats: "started", redis: "environment", mysql: "environment" });
    await statesBecome(options.dir, "answers", "stopped", "stopped");
    const { NATS_URL, NATS_ADMIN_URL, ...logins } = readStackEnv(options.dir);
    expect([NATS_URL, NATS_ADMIN_URL]).toEqual([`nats://${new URL(stack.natsUrl).host}`, stack.natsUrl]);
    expect(Object.keys(logins).sort()).toEqual(natsLogins);

    const all = { ...given, NATS_URL: "nats://127.0.0.1:3" };
    const outside = await startStack({ ...options, env: { ...options.env, ...all } });
    expect(outside).toMatchObject({ natsUrl: all.NATS_URL, started: false });
    await outside.stop();
    await statesBecome(options.dir, "answers", "stopped", "stopped");
  });
});

describe("after a crash", () => {
  test("a killed database comes back at the same address with its data; the others are kept", async () => {
    const options = sample();
    const stack = await startStack(options);
    const connection = await createConnection(stack.mysqlUrl);
    await connection.query("CREATE DATABASE ovation_sample");
    await connection.query("CREATE TABLE ovation_sample.t (id INT PRIMARY KEY)");
    await connection.query("INSERT INTO ovation_sample.t VALUES (42)");
    connection.destroy();
    const before = await pidsOf(options.dir);
    process.kill(before.mysql!, "SIGKILL");
    await becomesTrue(async () => (await pidsOf(options.dir)).mysql === undefined, 10_000);

    const again = await startStack(options);
    expect(again.servers).toEqual({ nats: "adopted", redis: "adopted", mysql: "started" });
    expect(again.mysqlUrl).toBe(stack.mysqlUrl);
    const after = await pidsOf(options.dir);
    expect(after).toMatchObject({ nats: before.nats, redis: before.redis });
    const mysql = await createConnection(again.mysqlUrl);
    expect((await mysql.query("SELECT id FROM ovation_sample.t"))[0]).toEqual([{ id: 42 }]);
    await mysql.end();
  });

  test("the servers of a killed starter are adopted, and end with the adopter", async () => {
    const options = sample();
    const child = starter(options);
    expect((await child.ready)?.[1]).toBe("true");
    const pids = await pidsOf(options.dir);
    process.kill(child.pid!, "SIGKILL");
    await child.exited;
    await statesBecome(options.dir, "answers", "answers", "answers");

    const stack = await startStack(options);
    expect(stack.started).toBe(false);
    expect(await pidsOf(options.dir)).toEqual(pids);
    await stack.stop();
    expect(await statesOf(options.dir)).toEqual(["stopped", "stopped", "stopped"]);
  });

  test("a starter killed in the middle of starting is no hindrance", async () => {
    const options = sample();
    const child = starter(options);
    const record = join(options.dir, "mysql", "server.json");
    expect(await becomesTrue(() => existsSync(record), 30_000, 1)).toBe(true);
    process.kill(child.pid!, "SIGKILL");
    await child.exited;

    const stack = await startStack(options);
    await statesBecome(options.dir, "answers", "answers", "answers");
    await stack.stop();
    expect(processesOf(options.dir)).toEqual([]);
  });
});

describe("supervised servers", () => {
  const limits = { most: 1, withinMs: 600_000, firstPauseMs: 10, maxPauseMs: 10 };

  test("one that is killed is started again at its port, as often as the limit allows", async () => {
    const options = sample();
    const stack = await startStack(options);
    const told: string[] = [];
    const watch = stack.watch({ tell: (line) => told.push(line), limits });
    const before = await pidsOf(options.dir);
    process.kill(before.redis!, "SIGKILL");
    expect(await becomesTrue(() => told.some((line) => /^Redis is up again/.test(line)), 30_000)).toBe(true);
    const after = await pidsOf(options.dir);
    expect(after).toMatchObject({ nats: before.nats, mysql: before.mysql });
    expect(after.redis).not.toBe(before.redis);
    const redis = new Redis(stack.redisUrl);
    expect(await redis.ping()).toBe("PONG");
    redis.disconnect();

    process.kill(after.redis!, "SIGKILL");
    expect(await watch.givenUp).toBe("Redis is not started again (restarts: 1 within 10 minutes)");
    expect(told[0]).toMatch(/^Redis ended by itself\. The end of .*server\.log:/);
    expect(told[1]).toBe("Redis is started again in 0.01 s (restart 1 of 1 within 10 minutes)");
    await watch.stop();
    await stack.stop();
  });

  test("those that are ended on purpose stay down", async () => {
    const options = sample();
    const stack = await startStack(options);
    const told: string[] = [];
    const watch = stack.watch({ tell: (line) => told.push(line), limits });
    await stopStack({ dir: options.dir, force: true, log: () => undefined });
    await watch.overForAll();
    expect(told).toEqual([]);
    expect(await statesOf(options.dir)).toEqual(["stopped", "stopped", "stopped"]);
    await watch.stop();
  });
});

describe("several users", () => {
  test("three starters at the same moment share one set of servers, which the last one ends", async () => {
    const options = sample();
    const children = [starter(options), starter(options)];
    const stack = await startStack(options);
    const started = (await Promise.all(children.map((child) => child.ready))).map((match) => match?.[1] === "true");
    expect([...started, stack.started].filter(Boolean)).toHaveLength(1);
    expect(processesOf(options.dir).filter((line) => line.includes("nats.conf"))).toHaveLength(1);

    await stack.stop();
    await expect(children[0]!.stop(20_000)).resolves.toEqual({ code: 0, signal: null });
    await statesBecome(options.dir, "answers", "answers", "answers");
    await expect(children[1]!.stop(20_000)).resolves.toEqual({ code: 0, signal: null });
    expect(await statesOf(options.dir)).toEqual(["stopped", "stopped", "stopped"]);
  });

  test("the command line's servers outlive it and other users, until it stops them", async () => {
    const options = sample();
    const cli = async (...args: string[]) => {
      const log = join(options.dir, `cli-${args[0]}.log`);
      const child = startChild({
        name: `stack ${args[0]}`,
        command: NODE,
        args: [join(projectRoot(), "scripts", "stack.ts"), ...args, "--dir", options.dir],
        env: { NATS_URL: undefined, REDIS_URL: undefined, MYSQL_URL: undefined },
        cwd: projectRoot(),
        output: { file: log },
      });
      const { code } = await child.exited;
      return { code, output: readFileSync(log, "utf8") };
    };
    const began = await cli("start");
    expect(began).toMatchObject({ code: 0, output: expect.stringMatching(/MySQL +answers +127\.0\.0\.1:\d+/) });
    const stack = await startStack(options);
    expect(stack.started).toBe(false);
    await stack.stop();
    expect((await cli("status")).output).toMatch(/NATS +answers[\s\S]*kept up until/);

    const user = await startStack(options);
    const refused = await cli("stop");
    expect(refused).toMatchObject({ code: 1, output: expect.stringContaining(`  ${process.pid}  `) });
    await user.stop();
    expect(await statesOf(options.dir)).toEqual(["stopped", "stopped", "stopped"]);
    expect(await cli("stop")).toMatchObject({ code: 0, output: expect.stringContaining("stopped") });
  });
});
