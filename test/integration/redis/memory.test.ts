import { Redis } from "ioredis";
import type { ServiceSchema } from "moleculer";
import { healthMixin } from "../../../mixins/health.mixin.ts";
import { readMemory } from "../../../mixins/redis/memory-watch.ts";
import { redisMixin } from "../../../mixins/redis.mixin.ts";
import { type PrivateServer, privateRedis } from "../../support/private-server.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

let server: PrivateServer;
let admin: Redis;
beforeAll(async () => {
  server = await privateRedis();
  process.env.REDIS_URL = server.url;
  admin = new Redis(server.url);
});
afterAll(async () => {
  await stopAll();
  admin.disconnect();
  await server.close();
});

test("a Redis whose memory fills is seen in the health report and the metrics before it refuses", async () => {
  const schema = { name: "user-of-redis", mixins: [redisMixin, healthMixin] } as unknown as ServiceSchema;
  const node = await startNode("memory", [schema]);
  const health = async () => ((await node.call("user-of-redis.health")) as { redis: unknown }).redis;
  expect(await health()).toBe(true);
  const { used, bound } = readMemory(await admin.info("memory"));
  expect([used > 0, bound]).toEqual([true, 0]);
  await admin.config("SET", "maxmemory", String(Math.round(used / 0.8)));
  const full = (last: unknown) => JSON.stringify(last).includes("Redis is filled to");
  await eventually("degraded", async () => full(await health()) && typeof (await health()) === "object", 15_000);
  const [metric] = node.metrics.list({ includes: "ovation.redis.memory.bound" });
  expect([...(metric?.values.values() ?? [])]).toMatchObject([{ value: Math.round(used / 0.8) }]);
  // With a policy that evicts it is always full, and refuses nothing.
  await admin.config("SET", "maxmemory-policy", "allkeys-lru");
  await eventually("ready", async () => (await health()) === true, 15_000);
});
