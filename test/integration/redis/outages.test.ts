import { Redis } from "ioredis";
import type { ServiceBroker } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { healthMixin } from "../../../mixins/health.mixin.ts";
import { openRedis, probeConnection } from "../../../mixins/redis/client.ts";
import { optionalRedisMixin, redisMixin } from "../../../mixins/redis.mixin.ts";
import { type CuttableServer, cuttable } from "../../support/cuttable-server.ts";
import { type PrivateServer, privateRedis } from "../../support/private-server.ts";
import { redisStates } from "../../support/redis-states.ts";
import { eventually, startNode, stopAll, stopNode } from "../../support/system.ts";

// The server that fails; after a failover the address leads to the server that all tests share.
let server: PrivateServer;
/** Past the client under test. */
let admin: Redis;
let address: CuttableServer;
const shared = process.env.REDIS_URL as string;

/** The URL with the login that both servers know. */
function withLogin(url: string): string {
  const [own, known] = [new URL(url), new URL(shared)];
  own.password = known.password;
  return own.href;
}

beforeAll(async () => {
  server = await privateRedis();
  admin = new Redis(server.url);
  // After a failover the same login works at the new server.
  const { username, password } = new URL(shared);
  await admin.acl("SETUSER", username, `>${password}`);
  address = await cuttable(withLogin(server.url));
  process.env.REDIS_URL = address.url;
});
afterAll(async () => {
  admin.disconnect();
  // Where what is left of this file is.
  address.leadTo(shared);
  await stopAll();
  await address.close();
  await server.close();
});

/** What its connections meet is seen in what its commands answer. */
const opened = (url?: string) => openRedis("test", () => {}, url).on("error", () => {});

const outcome = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: Error) => failureName(error) ?? error.message,
  );
const write = (redis: Redis) => outcome(redis.set("written", "1", "PX", 60_000));
const writeByScript = (redis: Redis) =>
  outcome(redis.eval("return redis.call('SET', KEYS[1], '1', 'PX', 60000)", 1, "written"));
const read = (redis: Redis) => outcome(redis.get("written"));

const states = redisStates.map((state) => [state.name, state] as const);

describe("a client of Redis", () => {
  let redis: Redis;
  beforeEach(async () => {
    redis = opened();
    await redis.connect();
  });
  afterEach(() => redis.disconnect());

  test.each(states)("%s is unavailable for writes and scripts, and recovers when it ends", async (_name, state) => {
    expect(await write(redis)).toBe("done");
    await state.does(admin);
    try {
      expect(await write(redis)).toBe("unavailable");
      await eventually("connected anew", () => redis.status === "ready");
      expect(await writeByScript(redis)).toBe("unavailable");
      const reads = state.reads ? "done" : "unavailable";
      await eventually(`reads are ${reads}`, async () => (await read(redis)) === reads);
    } finally {
      await state.undoes(admin);
    }
    await eventually("written again", async () => (await write(redis)) === "done");
  });

  test("an account that cannot log in for a while is unavailable, and recovers", async () => {
    await admin.acl("SETUSER", "default", "resetpass", ">another");
    try {
      // The connection breaks, and the next one is asked for a password.
      await admin.client("KILL", "TYPE", "normal", "SKIPME", "yes");
      await eventually("refused", async () => (await write(redis)) === "unavailable");
    } finally {
      await admin.acl("SETUSER", "default", "resetpass", "nopass");
    }
    await eventually("written again", async () => (await write(redis)) === "done");
  });

  test("a wrong command or script keeps its error and drops no connection", async () => {
    const made = address.made;
    await redis.set("text", "x", "PX", 60_000);
    const wrong = [
      redis.lpush("text", "1"),
      redis.eval("return redis.call('NOSUCH')", 0),
      redis.eval("return nothing.at.all", 0),
      redis.eval("this is no Lua", 0),
      redis.set("text", "x", "PX", "soon"),
      redis.incr("text"),
      redis.evalsha("0".repeat(40), 0),
      redis.eval("return redis.call('LPUSH', KEYS[1], 1)", 1, "text"),
      redis.call("GET"),
    ];
    for (const reply of await Promise.all(wrong.map(outcome))) expect(reply).not.toBe("unavailable");
    expect(await write(redis)).toBe("done");
    expect(address.made).toBe(made);
  });

  test("refused commands drop at most one connection in two seconds, however many there are", async () => {
    await admin.config("SET", "min-replicas-to-write", "1");
    try {
      const made = address.made;
      const until = performance.now() + limits.redis.dropEveryMs / 2;
      while (performance.now() < until) expect(await write(redis)).toBe("unavailable");
      expect(address.made).toBe(made + 1);
    } finally {
      await admin.config("SET", "min-replicas-to-write", "0");
    }
  });

  test("a command that was in flight when the connection was dropped is not sent again", async () => {
    await admin.del("counter");
    await admin.config("SET", "min-replicas-to-write", "1");
    const counts = [
      redis.incr("counter"),
      ...Array.from({ length: 20 }, () => redis.eval("return redis.call('INCR', KEYS[1])", 1, "counter")),
    ];
    const outcomes = await Promise.all(counts.map(outcome));
    expect(new Set(outcomes)).toEqual(new Set(["unavailable"]));
    await admin.config("SET", "min-replicas-to-write", "0");
    await eventually("written again", async () => (await write(redis)) === "done");
    expect(await redis.get("counter")).toBeNull();
  });
});

test("a name that does not resolve is unavailable", async () => {
  const redis = opened("redis://no-such-host.invalid:6379");
  expect(await outcome(redis.connect())).not.toBe("done");
  expect(await write(redis)).toBe("unavailable");
  redis.disconnect();
});

describe("after a failover behind one address", () => {
  afterEach(async () => {
    address.leadTo(server.url);
    await admin.call("REPLICAOF", "NO", "ONE");
  });

  test("a client that writes leaves the demoted server at its first refusal", async () => {
    const redis = opened();
    await redis.connect();
    expect(await write(redis)).toBe("done");
    await admin.call("REPLICAOF", "127.0.0.1", "1");
    address.leadTo(shared);
    expect(await write(redis)).toBe("unavailable");
    await eventually("written to the new one", async () => (await write(redis)) === "done");
    await redis.del("written");
    redis.disconnect();
  });

  test("a client that only reads leaves it too", async () => {
    const redis = opened();
    await redis.connect();
    const stop = probeConnection(redis, "reader");
    await redis.set("where", "old");
    const other = new Redis(shared, { keyPrefix: redis.options.keyPrefix });
    await other.set("where", "new");
    await admin.call("REPLICAOF", "127.0.0.1", "1");
    address.leadTo(shared);
    await eventually("reads of the new one", async () => (await redis.get("where").catch(() => null)) === "new");
    await other.del("where");
    stop();
    other.disconnect();
    redis.disconnect();
  });

  test("a client whose server is silent for good leaves it", async () => {
    const frozen = await cuttable(server.url);
    const redis = opened(frozen.url);
    await redis.connect();
    const stop = probeConnection(redis, "silent");
    frozen.freeze();
    await eventually("written again", async () => (await write(redis)) === "done", 20_000);
    stop();
    redis.disconnect();
    await frozen.close();
  });
});

describe("health", () => {
  const schema = (name: string, mixin: object) => ({ name, mixins: [healthMixin, mixin] }) as never;
  let node: ServiceBroker;
  beforeEach(async () => {
    node = await startNode("sick", [schema("needs", redisMixin), schema("helped", optionalRedisMixin)]);
  });
  afterEach(() => stopNode(node));

  test.each(states)(
    "%s: a service that needs Redis is not ready, one that works without it is degraded",
    async (name, state) => {
      const healthOf = (service: string) => node.call<{ redis: unknown }, object>(`${service}.health`, {});
      expect(await healthOf("needs")).toEqual({ redis: true });
      await state.does(admin);
      try {
        const sick = await eventually("not ready", async () => {
          const { redis } = await healthOf("needs");
          return typeof redis === "string" && redis.includes(name) && redis;
        });
        expect(sick).toContain(name);
        await eventually("degraded", async () => {
          const { redis } = await healthOf("helped");
          return (redis as { degraded?: string }).degraded?.includes(name);
        });
      } finally {
        await state.undoes(admin);
      }
      await eventually("ready again", async () => (await healthOf("needs")).redis === true);
    },
  );

  test("concurrent calls, and calls within healthKeptMs, share one check", async () => {
    const probes = async () => Number(/cmdstat_eval:calls=(\d+)/.exec(await admin.info("commandstats"))?.[1]);
    await node.call("needs.health", {});
    await new Promise((resolve) => setTimeout(resolve, limits.http.healthKeptMs));
    const before = await probes();
    await Promise.all(Array.from({ length: 200 }, () => node.call("needs.health", {})));
    // One check, and at most one probe of each connection.
    expect((await probes()) - before).toBeLessThanOrEqual(3);
  });
});
