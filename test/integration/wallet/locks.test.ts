import { Redis } from "ioredis";
import type { Service, ServiceBroker, ServiceSchema } from "moleculer";
import { config } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { redisMixin } from "../../../mixins/redis.mixin.ts";
import { type RedisLockState, redisLockMixin } from "../../../mixins/redis-lock.mixin.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { openWire, type Wire } from "./wire.ts";

/** Locks that outlive a pause of the machine between two steps of a test. */
jest.mock("../../../config/limits.ts", () => {
  const { limits } = jest.requireActual("../../../config/limits.ts");
  return { limits: { ...limits, lock: { ...limits.lock, ttlMs: 30_000 } } };
});
jest.setTimeout(120_000);

const redisUrl = process.env.REDIS_URL as string;
/** Moleculer starts the last mixin first. */
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

/** Whether a node asks Redis for its locks and is answered: so all that it asked before is answered, or its connection is new. */
async function asksRedis({ locks }: RedisLockState): Promise<boolean> {
  const { degraded, unlock } = await locks.acquire(newKeys(1));
  await unlock();
  return !degraded;
}

/** A test breaks the wire of both nodes; a probe of either may have been on its way. */
afterEach(async () => {
  for (const node of [one, two]) await eventually("locks in Redis again", () => asksRedis(node), 30_000);
});

/** Removes a lock as an expired TTL does: its holder stopped for a while, or its renewals were lost. */
const expire = (key: string) => raw.del(`lock:locker:${key}`);

const halfMs = limits.lock.ttlMs / 2;
/** Takes half of its time from a lock: if it has more again, it was renewed. */
const shorten = (key: string) => raw.pexpire(`lock:locker:${key}`, halfMs);
const isRenewed = async (key: string) => (await raw.pttl(`lock:locker:${key}`)) > halfMs;

/** Makes the locks of these keys outlive the test unless they are unlocked. */
const outlast = (keys: string[]) => Promise.all(keys.map((key) => raw.pexpire(`lock:locker:${key}`, 60_000)));

test("acquire takes the free ones of several keys in one step and leaves the others with their owner", async () => {
  const [a, b, c] = newKeys(3) as [string, string, string];
  const first = await one.locks.acquire([b]);
  const second = await two.locks.acquire([a, b, c]);
  expect([...second.acquired]).toEqual([a, c]);
  const third = await one.locks.acquire([a, b, c]);
  expect([...third.acquired]).toEqual([]);
  await first.unlock();
  const fourth = await one.locks.acquire([a, b, c]);
  expect([...fourth.acquired]).toEqual([b]);
  await Promise.all([second, third, fourth].map((hold) => hold.unlock()));
  expect(await raw.exists(...[a, b, c].map((key) => `lock:locker:${key}`))).toBe(0);
});

test("concurrent callers of the same keys acquire each key once", async () => {
  const keys = newKeys(20);
  const holds = await Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 ? one : two).locks.acquire(keys)));
  expect(holds.flatMap(({ acquired }) => [...acquired]).sort()).toEqual([...keys].sort());
  await Promise.all(holds.map((hold) => hold.unlock()));
});

test("a held lock is renewed before its TTL expires", async () => {
  const [key] = newKeys(1) as [string];
  const hold = await one.locks.acquire([key]);
  await shorten(key);
  await eventually("the full time again", () => isRenewed(key), 30_000);
  expect((await two.locks.acquire([key])).acquired.size).toBe(0);
  await hold.unlock();
});

test("a lock that another owner took over is neither renewed nor unlocked by its first owner, and is counted as lost", async () => {
  const [key, kept] = newKeys(2) as [string, string];
  const lost = one.locks.counters.lost;
  const first = await one.locks.acquire([key, kept]);
  await expire(key);
  const second = await two.locks.acquire([key]);
  expect([...second.acquired]).toEqual([key]);
  await shorten(kept);
  const owner = await raw.get(`lock:locker:${key}`);
  await eventually("a renewal of the first", () => one.locks.counters.lost > lost, 30_000);
  expect(one.locks.counters.lost).toBe(lost + 1);
  await eventually("its other lock is renewed", () => isRenewed(kept), 30_000);
  await first.unlock();
  expect([await raw.get(`lock:locker:${key}`), await raw.exists(`lock:locker:${kept}`)]).toEqual([owner, 0]);
  await second.unlock();
  expect(await raw.exists(`lock:locker:${key}`)).toBe(0);
});

test("an unlocked lock is not renewed", async () => {
  const [key] = newKeys(1) as [string];
  const renewed = jest.spyOn(one.redis, "eval");
  const hold = await one.locks.acquire([key]);
  await hold.unlock();
  const [later] = newKeys(1) as [string];
  const other = await two.locks.acquire([later]);
  await shorten(later);
  await eventually("the renewal of another", () => isRenewed(later), 30_000);
  // One call locked, one unlocked; the probes of the connection itself are left out.
  expect(renewed.mock.calls.filter(([, , name]) => String(name).startsWith("lock"))).toHaveLength(2);
  renewed.mockRestore();
  await other.unlock();
});

test("a free lock is acquired within half a second when nodes take it in turns", async () => {
  const [key] = newKeys(1) as [string];
  const waits: number[] = [];
  for (let n = 0; n < 100; n++) {
    const asked = performance.now();
    const hold = await (n % 2 ? one : two).locks.acquire([key]);
    waits.push(performance.now() - asked);
    expect(hold.acquired.size).toBe(1);
    await hold.unlock();
  }
  // A pause of the machine may delay a few; a lock that waits would delay many.
  expect(waits.sort((a, b) => a - b)[90]).toBeLessThan(500);
});

test("counters tell acquired, contended and degraded locks apart", async () => {
  const keys = newKeys(3);
  const before = { ...two.locks.counters };
  const hold = await one.locks.acquire(keys.slice(0, 2));
  const rest = await two.locks.acquire(keys);
  wire.cut();
  await eventually("cut off", () => two.redis.status !== "ready", 30_000);
  const without = await two.locks.acquire(keys);
  expect(without).toMatchObject({ degraded: true, acquired: new Set(keys) });
  wire.mend();
  const { acquired, contended, degraded } = two.locks.counters;
  expect([acquired - before.acquired, contended - before.contended, degraded - before.degraded]).toEqual([1, 2, 1]);
  await Promise.all([hold, rest, without].map((one) => one.unlock()));
});

test("a lock that Redis sets after the call timed out is removed at once", async () => {
  const keys = newKeys(3);
  wire.slow(limits.redis.commandTimeoutMs + 2_000);
  const hold = await one.locks.acquire(keys);
  expect(hold.degraded).toBe(true);
  expect(await outlast(keys)).toEqual([1, 1, 1]);
  wire.slow(0);
  await eventually(
    "free again",
    async () => (await raw.exists(...keys.map((key) => `lock:locker:${key}`))) === 0,
    30_000,
  );
});

test("a lock whose unlock was lost on the way expires with its TTL", async () => {
  const keys = newKeys(3);
  const hold = await one.locks.acquire(keys);
  wire.cut();
  await hold.unlock();
  const left = await raw.pttl(`lock:locker:${keys[0]}`);
  expect([left > 0, left <= limits.lock.ttlMs]).toEqual([true, true]);
  wire.mend();
});

test("while Redis hangs, one caller waits for it and the others go on without locks until it answers again", async () => {
  const acquire = async () => {
    const began = Date.now();
    const { degraded, unlock } = await one.locks.acquire(newKeys(1));
    await unlock();
    return { degraded, ms: Date.now() - began };
  };
  wire.slow(3 * limits.redis.commandTimeoutMs);
  const first = await acquire();
  expect([first.degraded, first.ms >= limits.redis.commandTimeoutMs - 50]).toEqual([true, true]);
  const others: { degraded: boolean; ms: number }[] = [];
  for (let n = 0; n < 50; n++) others.push(await acquire());
  expect(others.filter(({ degraded }) => !degraded)).toEqual([]);
  // After a pause of the machine a later one may ask again, and wait.
  expect(others.map(({ ms }) => ms).sort((a, b) => a - b)[45]).toBeLessThan(500);
  wire.slow(0);
  await eventually("locks in Redis again", () => asksRedis(one), 30_000);
});

test("the metrics count locks by what came of them, and show how many are held", async () => {
  const value = (name: string, outcome?: string) => {
    const [metric] = one.broker.metrics.list({ includes: `ovation.lock.${name}` });
    const values = (metric?.values ?? []) as unknown as { value: number; labels: { outcome?: string } }[];
    return values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
  };
  const [acquired, contended, held] = [value("keys", "acquired"), value("keys", "contended"), value("held")];
  const [a, b] = newKeys(2) as [string, string];
  const other = await two.locks.acquire([b]);
  const hold = await one.locks.acquire([a, b]);
  expect(value("keys", "acquired") - acquired).toBe(1);
  expect(value("keys", "contended") - contended).toBe(1);
  expect(value("held") - held).toBe(1);
  await Promise.all([hold.unlock(), other.unlock()]);
  expect(value("held")).toBe(held);
});
