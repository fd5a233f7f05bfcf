import { createHash } from "node:crypto";
import { once } from "node:events";
import type { ServiceBroker as Broker } from "moleculer";
import { isUnavailable } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { openRedis, type RedisState } from "../../../mixins/redis.mixin.ts";
import { call } from "../../../services/contracts.ts";
import notification from "../../../services/notification/notification.service.ts";
import { openSession } from "../../../services/user/sessions.ts";
import user from "../../../services/user/user.service.ts";
import { startNode, stopAll, waitForNode } from "../../support/system.ts";

let nodes: [Broker, Broker];
/** A node without the user service, so that every call of the tests goes to another node. */
let caller: Broker;
const redis = openRedis("test");

beforeAll(async () => {
  nodes = [await startNode("user-1", [user]), await startNode("user-2", [user])];
  caller = await startNode("caller", [notification]);
  await Promise.all(nodes.map((node) => waitForNode(caller, "user", node.nodeID)));
  await Promise.all(nodes.map((node) => node.waitForServices(["notification"])));
  await redis.connect();
});

afterAll(async () => {
  redis.disconnect();
  await stopAll();
});

/** Cuts a node's connection to Redis at once; returns a function that restores it. */
async function cutRedis(node: Broker, service: string): Promise<() => Promise<void>> {
  const { redis: connection } = node.getLocalService(service) as unknown as RedisState;
  // The client does not clear this timer for commands that it refuses, and the test would wait for it at its end.
  connection.options.commandTimeout = undefined;
  const ended = once(connection, "end");
  connection.disconnect();
  await ended;
  return async () => {
    await connection.connect();
    connection.options.commandTimeout = limits.redis.commandTimeoutMs;
  };
}

let phones = 0;
const newPhone = () => `139${String(++phones).padStart(8, "0")}`;
const on = (node: 0 | 1) => ({ nodeID: nodes[node].nodeID });
const login = async (phone = newPhone(), node: 0 | 1 = 0) => {
  const { devCode } = await call(caller, "user.sendLoginCode", { phone });
  return call(caller, "user.login", { phone, code: devCode as string }, on(node));
};
const who = (token: string, node: 0 | 1 = 1) => call(caller, "user.authenticate", { token }, on(node));

describe("sessions", () => {
  test("every node knows the user of a token", async () => {
    const { userId, token } = await login();
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(await who(token, 0)).toEqual({ userId });
    expect(await who(token, 1)).toEqual({ userId });
  });

  test("Redis holds the token's hash for 30 days, and nowhere the token", async () => {
    const { userId, token } = await login();
    const key = `user:session:${createHash("sha256").update(token).digest("hex")}`;
    expect(await redis.get(key)).toBe(userId);
    expect(await redis.pttl(key)).toBeGreaterThan(limits.user.tokenTtlMs - 60_000);
    const prefix = redis.options.keyPrefix ?? "";
    const keys = await redis.keys(`${prefix}*`);
    expect(keys.filter((name) => name.includes(token))).toEqual([]);
    expect(await redis.zrange(`user:sessions:${userId}`, 0, -1)).toEqual([key.split(":").pop()]);
  });

  test.each([
    ["empty", ""],
    ["short", "x"],
    ["well-formed but never given out", "A".repeat(43)],
    ["far too long", "A".repeat(5_000)],
    ["part of a key", "user:sessions:1"],
  ])("a token that is %s is nobody's", async (_what, token) => expect(await who(token)).toBeNull());

  test("a token is invalid on every node once logout returned; the user's other tokens stay valid", async () => {
    const phone = newPhone();
    const first = await login(phone, 0);
    const second = await login(phone, 1);
    expect(second.userId).toBe(first.userId);
    await call(caller, "user.logout", { token: first.token }, on(0));
    expect(await who(first.token, 1)).toBeNull();
    expect(await who(first.token, 0)).toBeNull();
    expect(await who(second.token, 0)).toEqual({ userId: second.userId });
    await call(caller, "user.logout", { token: first.token }, on(1));
    await call(caller, "user.logout", { token: "no token at all" }, on(1));
  });

  test("a user keeps the newest sessions up to the bound, also of parallel logins", async () => {
    const { userId, token: oldest } = await login();
    const more = limits.user.tokensPerUser;
    const tokens: string[] = [];
    for (let at = 0; at < more; at++) tokens.push(await openSession(redis, userId));
    expect(await who(oldest)).toBeNull();
    expect(await Promise.all(tokens.map((token) => who(token)))).toEqual(tokens.map(() => ({ userId })));

    const newer = await Promise.all(Array.from({ length: 2 * more }, () => openSession(redis, userId)));
    const alive = (await Promise.all([...tokens, ...newer].map((token) => who(token)))).filter(Boolean);
    expect(alive).toHaveLength(more);
    expect(await redis.zcard(`user:sessions:${userId}`)).toBe(more);
  });

  test("a wiped Redis ends the sessions: the user logs in again and has the same id", async () => {
    const phone = newPhone();
    const before = await login(phone);
    const prefix = redis.options.keyPrefix ?? "";
    const keys = await redis.keys(`${prefix}*`);
    await redis.del(keys.map((key) => key.slice(prefix.length)));
    expect(await who(before.token)).toBeNull();
    const after = await login(phone);
    expect(after.userId).toBe(before.userId);
    expect(await who(after.token)).toEqual({ userId: before.userId });
  });

  test("without Redis every call answers unavailable", async () => {
    const restoreRedis = await cutRedis(nodes[0], "user");
    const phone = newPhone();
    const token = "A".repeat(43);
    const outcomes = await Promise.all([
      call(caller, "user.sendLoginCode", { phone }, on(0)).catch(isUnavailable),
      call(caller, "user.login", { phone, code: "123456" }, on(0)).catch(isUnavailable),
      call(caller, "user.authenticate", { token }, on(0)).catch(isUnavailable),
      call(caller, "user.logout", { token }, on(0)).catch(isUnavailable),
    ]);
    await restoreRedis();
    expect(outcomes).toEqual([true, true, true, true]);
    expect(await login(phone)).toMatchObject({ userId: expect.any(String) });
  });
});
