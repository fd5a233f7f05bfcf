import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { config, serviceUrlName } from "../../../config/config.ts";
import { openRedis, requireWritable } from "../../../mixins/redis/client.ts";
import { readStackEnv } from "../../../scripts/stack/env-file.ts";
import { prepareRedis, removeRedisLogins } from "../../../scripts/stack/redis-logins.ts";
import { type Stack, stackStatus, startStack } from "../../../scripts/stack/stack.ts";
import { redisAccess, redisServices } from "../../../services/redis-access.ts";
import { eventually } from "../../support/system.ts";

/** A Redis of this test alone, with the logins of two namespaces. */

const namespace = config().NAMESPACE;
const dir = mkdtempSync(join(tmpdir(), "redis-logins-"));
let stack: Stack;
let urls: Record<string, string>;
const open: Redis[] = [];

beforeAll(async () => {
  const { REDIS_URL: _redis, ...env } = process.env;
  stack = await startStack({ dir, env, log: () => {} });
  const login = { adminUrl: stack.redisUrl, services: redisServices };
  await prepareRedis(dir, { ...login, namespace: "other" });
  urls = await prepareRedis(dir, { ...login, namespace });
});
afterAll(async () => {
  for (const redis of open) redis.disconnect();
  await stack?.stop();
  rmSync(dir, { recursive: true, force: true });
});

function connectAs(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: 0, enableReadyCheck: false, retryStrategy: () => null });
  redis.on("error", () => {});
  open.push(redis);
  return redis;
}
const urlOf = (service: string) => urls[serviceUrlName("REDIS_URL", service)] as string;

/** "done", or the name of the server's error. */
const outcomeOf = (command: Promise<unknown>) =>
  command.then(
    () => "done",
    (error: Error) => error.message.split(" ")[0],
  );
/** A key of a service, as its code makes them. */
const keyOf = (service: string, of = namespace) =>
  `${of}:${redisAccess[service as keyof typeof redisAccess]?.keys[0]?.replace("*", "one")}`;
/** The services whose keys a service may use. */
const sharing = (service: string) => (service.startsWith("im-") ? ["im-router", "im-server"] : [service]);

test("whoever has no login is answered nothing", async () => {
  const url = new URL(stack.redisUrl);
  url.username = url.password = "";
  const stranger = connectAs(url.href);
  expect(await outcomeOf(stranger.get(keyOf("user")))).toBe("NOAUTH");
  expect(await outcomeOf(stranger.info())).toBe("NOAUTH");
});

describe.each(redisServices)("the login of %s", (service) => {
  let redis: Redis;
  beforeAll(() => {
    redis = connectAs(urlOf(service));
  });

  test("reads and writes its own keys, also in scripts, and those of no other service", async () => {
    for (const other of redisServices) {
      const expected = sharing(service).includes(other) ? "done" : "NOPERM";
      const key = keyOf(other);
      const script = "return redis.call('SET', KEYS[1], '1', 'PX', 1000)";
      const outcomes = [
        await outcomeOf(redis.get(key)),
        await outcomeOf(redis.set(key, "1", "PX", 1_000)),
        await outcomeOf(redis.eval(script, 1, key)),
        await outcomeOf(redis.eval("return redis.call('GET', ARGV[1])", 0, key)),
        await outcomeOf(redis.unlink(key)),
      ].map((outcome) => (outcome === "ERR" ? "NOPERM" : outcome));
      expect([other, ...outcomes]).toEqual([other, ...outcomes.map(() => expected)]);
    }
  });

  test("does not reach the keys of another namespace", async () => {
    expect(await outcomeOf(redis.get(keyOf(service, "other")))).toBe("NOPERM");
  });

  test("has no command that shows or changes what is others', or the server", async () => {
    const commands: [string, ...string[]][] = [
      ["FLUSHALL"],
      ["FLUSHDB"],
      ["KEYS", "*"],
      ["RANDOMKEY"],
      ["DBSIZE"],
      ["CONFIG", "GET", "*"],
      ["CONFIG", "SET", "maxmemory", "1"],
      ["ACL", "LIST"],
      ["ACL", "SETUSER", "new", "on"],
      ["CLIENT", "LIST"],
      ["CLIENT", "KILL", "TYPE", "normal"],
      ["CLIENT", "TRACKING", "ON", "REDIRECT", "1", "BCAST"],
      ["CLIENT", "REPLY", "OFF"],
      ["CLIENT", "ID"],
      ["MONITOR"],
      ["SHUTDOWN", "NOSAVE"],
      ["REPLICAOF", "127.0.0.1", "1"],
      ["FUNCTION", "FLUSH"],
      ["SCRIPT", "FLUSH"],
      ["PUBLISH", "channel", "text"],
      ["MIGRATE", "127.0.0.1", "1", "key", "0", "1"],
      ["SWAPDB", "0", "1"],
      ...(service === "gift" ? [] : ([["SCAN", "0"]] as [string, ...string[]][])),
    ];
    for (const [command, ...args] of commands)
      expect([command, await outcomeOf(redis.call(command, ...args))]).toEqual([command, "NOPERM"]);
  });

  test("is enough for the client of the product and its check of health", async () => {
    const own = openRedis(service, () => {}, urlOf(service));
    open.push(own);
    await own.connect();
    await requireWritable(own, `${service}:node`);
    expect(await own.info("memory")).toMatch(/used_memory:\d+/);
  });
});

test("the logins are the same at the next preparation, and work after the server was killed", async () => {
  expect(await prepareRedis(dir, { adminUrl: stack.redisUrl, namespace, services: redisServices })).toEqual(urls);
  const { REDIS_URL: _redis, ...env } = process.env;
  const server = async () => (await stackStatus(dir)).servers.find(({ name }) => name === "redis");
  process.kill((await server())?.pid as number, "SIGKILL");
  await eventually("the server has ended", async () => (await server())?.state === "stopped");
  const again = await startStack({ dir, env, log: () => {} });
  expect(again.redisUrl).toBe(stack.redisUrl);
  for (const service of redisServices)
    expect([service, await outcomeOf(connectAs(urlOf(service)).get(keyOf(service)))]).toEqual([service, "done"]);
  await again.stop();
});

test("a server that is not the stack's own is left as it is", async () => {
  const adminUrl = "redis://127.0.0.1:1";
  expect(await prepareRedis(dir, { adminUrl, namespace, services: redisServices })).toEqual({});
});

test("the logins of a dropped namespace are gone", async () => {
  const [first = ""] = redisServices;
  const url = readStackEnv(dir)[serviceUrlName("REDIS_URL", first)] as string;
  await prepareRedis(dir, { adminUrl: stack.redisUrl, namespace: "gone", services: [first] });
  const gone = readStackEnv(dir)[serviceUrlName("REDIS_URL", first)] as string;
  expect(gone).not.toBe(url);
  expect(await outcomeOf(connectAs(gone).get(`gone:rate:${first}:one`))).toBe("done");
  await removeRedisLogins(dir, stack.redisUrl, "gone");
  expect(await outcomeOf(connectAs(gone).get(`gone:rate:${first}:one`))).toMatch(/WRONGPASS|NOAUTH|Connection/);
});
