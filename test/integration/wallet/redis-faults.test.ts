import { Redis } from "ioredis";
import type { ServiceBroker } from "moleculer";
import { config } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { Traffic, walletOn } from "./traffic.ts";
import { openWire, type Wire } from "./wire.ts";

jest.setTimeout(180_000);

const redisUrl = process.env.REDIS_URL as string;
let wire: Wire;
let caller: ServiceBroker;
let nodes: ServiceBroker[];

beforeAll(async () => {
  wire = await openWire(redisUrl);
  process.env.REDIS_URL = wire.url;
  nodes = await Promise.all([startNode("wallet-1", [wallet]), startNode("wallet-2", [wallet])]);
  caller = await startNode("caller", []);
  await caller.waitForServices("wallet");
});
afterAll(async () => {
  await stopAll();
  await wire.close();
});
afterEach(() => {
  wire.mend();
  wire.slow(0);
});

const counted = (counter: "acquired" | "degraded") =>
  nodes.reduce((sum, node) => sum + walletOn(node).locks.counters[counter], 0);

/** More of it than now, from both nodes together. */
const more = (counter: "acquired" | "degraded", by: number) => {
  const wanted = counted(counter) + by;
  return eventually(`${by} more ${counter}`, () => counted(counter) >= wanted, 30_000);
};

/** Waits until both nodes acquire locks in Redis again, by gifts of other users. */
async function locksAgain(): Promise<void> {
  const others = await Traffic.prepare(caller, 20, 3, 3);
  const taken = () => nodes.map((node) => walletOn(node).locks.counters.acquired);
  await eventually(
    "locks in Redis again",
    async () => {
      const before = taken();
      await others.run();
      return taken().every((count, at) => count > (before[at] as number));
    },
    30_000,
  );
}

async function deleteKeys(redis: Redis): Promise<number> {
  const keys = await redis.keys(`${config().NAMESPACE}:*`);
  return keys.length > 0 ? redis.del(keys) : 0;
}

test("gifts in flight are exact while Redis is killed, refuses commands and comes back", async () => {
  const traffic = await Traffic.prepare(caller, 40, 30, 24);
  // So that gifts are in flight when Redis is killed.
  wire.slow(20);
  const running = traffic.run();
  await traffic.reached(0.2);
  const without = more("degraded", 4);
  wire.cut();
  await without;
  await traffic.reached(0.5);
  wire.slow(0);
  wire.mend();
  await running;
  await traffic.expectSettledOnce();
  await locksAgain();
});

test("a Redis connection that breaks while locks are acquired delays those users no longer than a lock lives", async () => {
  let traffic = await Traffic.prepare(caller, 40, 15, 50);
  for (let breaks = 0; breaks < 3; breaks++) {
    if (breaks > 0) traffic = traffic.again();
    // Replies are late, so one is always on its way.
    wire.slow(25);
    const taken = more("acquired", 20);
    const running = traffic.run();
    await taken;
    wire.cut();
    wire.mend();
    await running;
    wire.slow(0);
    await traffic.expectSettledOnce();
    await eventually("Redis again", () => nodes.every((node) => walletOn(node).redis.status === "ready"), 30_000);
    await locksAgain();
  }
  const after = traffic.again();
  const began = Date.now();
  await after.run();
  expect(Date.now() - began).toBeLessThan(limits.lock.ttlMs + 10_000);
  await after.expectSettledOnce();
});

test("gifts in flight are exact while the keys in Redis are deleted repeatedly", async () => {
  const redis = new Redis(redisUrl);
  const traffic = await Traffic.prepare(caller, 40, 15, 12);
  let over = false;
  const running = traffic.run().finally(() => {
    over = true;
  });
  let deleted = 0;
  while (!over) deleted += await deleteKeys(redis);
  await running;
  redis.disconnect();
  expect(deleted).toBeGreaterThan(10);
  await traffic.expectSettledOnce();
});

test("a Redis that answers late costs only time, within the command timeout and beyond it", async () => {
  const traffic = await Traffic.prepare(caller, 40, 12, 18);
  const running = traffic.run();
  wire.slow(300);
  await traffic.reached(0.3);
  const without = more("degraded", 2);
  wire.slow(limits.redis.commandTimeoutMs + 500);
  await without;
  wire.slow(0);
  await running;
  await traffic.expectSettledOnce();

  await locksAgain();
  const after = traffic.again();
  const began = Date.now();
  await after.run();
  // A dropped connection may leave locks behind, which expire with their TTL.
  expect(Date.now() - began).toBeLessThan(limits.lock.ttlMs + 10_000);
  await after.expectSettledOnce();
});
