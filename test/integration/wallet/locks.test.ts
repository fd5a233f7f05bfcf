import { Redis } from "ioredis";
import type { Service, ServiceBroker, ServiceSchema } from "moleculer";
import { config } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { redisMixin } from "../../../mixins/redis.mixin.ts";
import { type RedisLockState, redisLockMixin } from "../../../mixins/redis-lock.mixin.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { openWire, type Wire } from "./wire.ts";

const redisUrl = process.env.REDIS_URL as string;
/** Moleculer starts the last one first. */
const locker = { name: "locker", mixins: [redisLockMixin, redisMixin] } as unknown as ServiceSchema;

let wire: Wire;
let raw: Redis;
let one: Service & RedisLockState;
let two: Service & RedisLockState;
let next = 0;
const newKeys = (count: number) => Array.from({ length: count }, () => `key-${next++}`);

beforeAll(async () => {
  wire = await openWire(redisUrl);
  process.env.REDIS_URL = wire.url;
  const lockerOn = (node: ServiceBroker) => node.getLocalService("locker") as unknown as Service & RedisLockState;
  one = lockerOn(await startNode("one", [locker]));
  two = lockerOn(await startNode("two", [locker]));
  raw = new Redis(redisUrl, { keyPrefix: `${config().NAMESPACE}:` });
});
afterAll(async () => {
  await stopAll();
  raw.disconnect();
  await wire.close();
});

/** As if the time of a lock's holder had run out: it stopped for a while, or its renewals were lost. */
const expire = (key: string) => raw.del(`lock:${key}`);

/** From now on the locks of these keys outlast the test unless they are given back. */
const outlast = (keys: string[]) => Promise.all(keys.map((key) => raw.pexpire(`lock:${key}`, 60_000)));

test("of several keys the free ones are taken, in one step, and the others are left with their owner", async () => {
  const [a, b, c] = newKeys(3) as [string, string, string];
  const first = await one.locks.acquire([b]);
  const second = await two.locks.acquire([a, b, c]);
  expect([...second.acquired]).toEqual([a, c]);
  const third = await one.locks.acquire([a, b, c]);
  expect([...third.acquired]).toEqual([]);
  await first.release();
  const fourth = await one.locks.acquire([a, b, c]);
  expect([...fourth.acquired]).toEqual([b]);
  await Promise.all([second, third, fourth].map((hold) => hold.release()));
  expect(await raw.exists(...[a, b, c].map((key) => `lock:${key}`))).toBe(0);
});

test("many who want the same keys at once get each key once", async () => {
  const keys = newKeys(20);
  const holds = await Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 ? one : two).locks.acquire(keys)));
  expect(holds.flatMap(({ acquired }) => [...acquired]).sort()).toEqual([...keys].sort());
  await Promise.all(holds.map((hold) => hold.release()));
});

test("a lock that is held is renewed before its time is over", async () => {
  const [key] = newKeys(1) as [string];
  const hold = await one.locks.acquire([key]);
  await raw.pexpire(`lock:${key}`, limits.lock.renewEveryMs + 1_000);
  await eventually("the full time again", async () => (await raw.pttl(`lock:${key}`)) > limits.lock.ttlMs - 1_000);
  expect((await two.locks.acquire([key])).acquired.size).toBe(0);
  await hold.release();
});

test("a lock that was lost to another is neither renewed nor released by its first owner, and is counted", async () => {
  const [key, kept] = newKeys(2) as [string, string];
  const lost = one.locks.counters.lost;
  const first = await one.locks.acquire([key, kept]);
  await expire(key);
  const second = await two.locks.acquire([key]);
  expect([...second.acquired]).toEqual([key]);
  await raw.pexpire(`lock:${kept}`, limits.lock.renewEveryMs + 1_000);
  const owner = await raw.get(`lock:${key}`);
  await eventually("a renewal of the first", () => one.locks.counters.lost > lost);
  expect(one.locks.counters.lost).toBe(lost + 1);
  expect(await raw.pttl(`lock:${kept}`)).toBeGreaterThan(limits.lock.ttlMs - 1_000);
  await first.release();
  expect([await raw.get(`lock:${key}`), await raw.exists(`lock:${kept}`)]).toEqual([owner, 0]);
  await second.release();
  expect(await raw.exists(`lock:${key}`)).toBe(0);
});

test("a released lock is not renewed any more", async () => {
  const [key] = newKeys(1) as [string];
  const renewed = jest.spyOn(one.redis, "eval");
  const hold = await one.locks.acquire([key]);
  await hold.release();
  const other = await two.locks.acquire(newKeys(1));
  await raw.pexpire(`lock:${[...other.acquired][0]}`, limits.lock.renewEveryMs + 1_000);
  await eventually("the renewal of another", async () => {
    return (await raw.pttl(`lock:${[...other.acquired][0]}`)) > limits.lock.ttlMs - 1_000;
  });
  // Taken and given back; the connection's own looks are none of the lock's.
  expect(renewed.mock.calls.filter(([, , name]) => String(name).startsWith("lock"))).toHaveLength(2);
  renewed.mockRestore();
  await other.release();
});

test("nobody waits half a second for a free lock, taken over from node to node", async () => {
  const [key] = newKeys(1) as [string];
  const waits: number[] = [];
  for (let n = 0; n < 100; n++) {
    const asked = performance.now();
    const hold = await (n % 2 ? one : two).locks.acquire([key]);
    waits.push(performance.now() - asked);
    expect(hold.acquired.size).toBe(1);
    await hold.release();
  }
  // One or another may meet a pause of the machine; a way of waiting would show in many.
  expect(waits.sort((a, b) => a - b)[90]).toBeLessThan(500);
});

test("what was taken, contended and taken without Redis is counted", async () => {
  const keys = newKeys(3);
  const before = { ...two.locks.counters };
  const hold = await one.locks.acquire(keys.slice(0, 2));
  const rest = await two.locks.acquire(keys);
  wire.cut();
  await eventually("cut off", () => two.redis.status !== "ready");
  const without = await two.locks.acquire(keys);
  expect(without).toMatchObject({ degraded: true, acquired: new Set(keys) });
  wire.mend();
  const { acquired, contended, degraded } = two.locks.counters;
  expect([acquired - before.acquired, contended - before.contended, degraded - before.degraded]).toEqual([1, 2, 1]);
  await Promise.all([hold, rest, without].map((one) => one.release()));
  await eventually("Redis again", () => [one, two].every(({ redis }) => redis.status === "ready"));
});

test("a lock that Redis takes after nobody waits for its answer any more is given back at once", async () => {
  const keys = newKeys(3);
  wire.slow(limits.redis.commandTimeoutMs + 200);
  const hold = await one.locks.acquire(keys);
  expect(hold.degraded).toBe(true);
  expect(await outlast(keys)).toEqual([1, 1, 1]);
  wire.slow(0);
  await eventually("free again", async () => (await raw.exists(...keys.map((key) => `lock:${key}`))) === 0);
});

test("a lock whose release was lost on the way runs out by its TTL", async () => {
  const keys = newKeys(3);
  await eventually("a connection and a closed breaker", async () => {
    const { degraded, release } = await one.locks.acquire(newKeys(1));
    await release();
    return !degraded;
  });
  const hold = await one.locks.acquire(keys);
  wire.cut();
  await hold.release();
  const left = await raw.pttl(`lock:${keys[0]}`);
  expect([left > 0, left <= limits.lock.ttlMs]).toEqual([true, true]);
  wire.mend();
  await eventually("Redis again", () => [one, two].every(({ redis }) => redis.status === "ready"));
});

test("of a Redis that takes questions and does not answer, one who asks is held up, and nobody else until it is asked again and answers", async () => {
  const acquire = async () => {
    const began = Date.now();
    const { degraded, release } = await one.locks.acquire(newKeys(1));
    await release();
    return { degraded, ms: Date.now() - began };
  };
  await eventually("a closed breaker", async () => !(await acquire()).degraded);
  wire.slow(3 * limits.redis.commandTimeoutMs);
  const first = await acquire();
  expect([first.degraded, first.ms >= limits.redis.commandTimeoutMs - 50]).toEqual([true, true]);
  const began = Date.now();
  for (let n = 0; n < 50; n++) expect(await acquire()).toMatchObject({ degraded: true });
  expect(Date.now() - began).toBeLessThan(limits.redis.commandTimeoutMs);
  wire.slow(0);
  await eventually("locks in Redis again", async () => !(await acquire()).degraded, 10_000);
});
