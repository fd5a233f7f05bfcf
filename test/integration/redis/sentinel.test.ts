import type { Redis } from "ioredis";
import { failureName } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { redisOf } from "../../../mixins/redis/address.ts";
import { openRedis, probeConnection } from "../../../mixins/redis/client.ts";
import { eventually } from "../../support/eventually.ts";
import { type RedisSentinels, redisSentinels } from "../../support/redis-sentinels.ts";

jest.setTimeout(60_000);

const againWithinMs = 10_000;

let servers: RedisSentinels;
let redis: Redis;
let stop: () => void;

beforeAll(async () => {
  servers = await redisSentinels();
  redis = openRedis("test", () => {}, servers.url).on("error", () => {});
  stop = probeConnection(redis, "sentinel-test");
  await redis.connect();
});
afterAll(async () => {
  stop?.();
  redis?.disconnect();
  await servers?.close();
});

const outcome = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: Error) => failureName(error) ?? error.message,
  );
const write = () => outcome(redis.eval("return redis.call('SET', KEYS[1], '1', 'PX', 60000)", 1, "written"));

/** Each command is answered in bounded time, all the while that there is no master. */
async function writesAgain(): Promise<void> {
  const written = async () => {
    const startedAt = performance.now();
    const result = await write();
    expect(performance.now() - startedAt).toBeLessThan(limits.redis.commandTimeoutMs + 3_000);
    expect(["done", "unavailable"]).toContain(result);
    return result === "done";
  };
  await eventually("written again", written, againWithinMs);
}

test("the master is found through any sentinel that answers, by services and by tools", async () => {
  expect(await write()).toBe("done");
  expect(redis.options.keyPrefix).toMatch(/^t_/);
  const tool = redisOf(servers.url);
  expect(await tool.get(`${redis.options.keyPrefix}written`)).toBe("1");
  tool.disconnect();
});

test("a master that hangs is left for the one that the sentinels promote", async () => {
  const former = await servers.master();
  former.signal("SIGSTOP");
  try {
    await eventually("another master", async () => (await servers.master()) !== former, againWithinMs);
    await writesAgain();
  } finally {
    former.signal("SIGCONT");
  }
  await servers.replicated();
});

test("a master that is killed: commands work again within ten seconds", async () => {
  const former = await servers.master();
  former.signal("SIGKILL");
  const killedAt = performance.now();
  await writesAgain();
  expect(performance.now() - killedAt).toBeLessThan(againWithinMs);
  expect(await servers.master()).not.toBe(former);
});
