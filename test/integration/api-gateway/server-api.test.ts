import { randomUUID } from "node:crypto";
import { request as httpRequest, type IncomingMessage } from "node:http";
import type { ServiceBroker } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import type { Gateway } from "../../../services/api-gateway/gateway.ts";
import { type ApiScope, apiScopes } from "../../../services/api-scopes.ts";
import { call } from "../../../services/contracts.ts";
import { Idempotency } from "../../../services/platform/idempotency.ts";
import platform from "../../../services/platform/platform.service.ts";
import { type CuttableServer, cuttable } from "../../support/cuttable-server.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { whileRedisAnswers } from "../../support/while-redis-answers.ts";
import { alice, answers, calls, forget, neighbourNames, send, startGateway, startNeighbours } from "./neighbours.ts";

/**
 * API keys and idempotency keys across nodes: two gateways and two platform nodes, each a broker of its own. The platform
 * nodes reach their database by way of a server that the test can take away.
 */

jest.setTimeout(90_000);
process.env.TRUST_PROXY = "true";
// A request that the tests hold outlives the repeats that wait for it.
process.env.CALL_TIMEOUT_MS = "30000";

let mysql: CuttableServer;
let database: Database;
let platforms: [ServiceBroker, ServiceBroker];
let gateways: { broker: ServiceBroker; base: string }[];
let console_: ServiceBroker;

beforeAll(async () => {
  const { MYSQL_URL } = process.env;
  mysql = await cuttable(MYSQL_URL as string);
  process.env.MYSQL_URL = mysql.url;
  platforms = [await startNode("platform-1", [platform]), await startNode("platform-2", [platform])];
  database = new Database(databaseName("platform"), { url: MYSQL_URL as string });
  await startNeighbours(neighbourNames.filter((name) => name !== "platform"));
  gateways = [await startGateway(), await startGateway()];
  console_ = await startNode("person", [], "console");
  for (const { nodeID } of platforms) await waitForNode(console_, "platform", nodeID);
  for (const { nodeID } of platforms) for (const { broker } of gateways) await waitForNode(broker, "platform", nodeID);
});
beforeEach(forget);
afterAll(async () => {
  mysql.cut();
  mysql.mend();
  await database.close();
  await stopAll();
  await mysql.close();
});

const at = (node: 0 | 1) => gateways[node] as { broker: ServiceBroker; base: string };
const operator = "console:test";
const makeKey = (scopes: readonly ApiScope[] = apiScopes, perMinute?: number) =>
  call(console_, "platform.createKey", {
    ...{ name: "backend", scopes: [...scopes], operator },
    ...(perMinute === undefined ? {} : { perMinute }),
  });
const revoke = (keyId: string) => call(console_, "platform.revokeKey", { keyId, operator });

interface Options {
  node?: 0 | 1;
  id?: string;
  headers?: Record<string, string>;
}
const bearer = (key: string) => ({ Authorization: `Bearer ${key}` });
const post = (path: string, key: string, body: unknown, { node = 0, id, headers = {} }: Options = {}) =>
  send(`${at(node).base}/live/server/v1/${path}`, {
    body,
    headers: { ...bearer(key), ...(id === undefined ? {} : { "Idempotency-Key": id }), ...headers },
  });
const get = (key: string, node: 0 | 1 = 0, headers: Record<string, string> = {}) =>
  post("users/get", key, { userId: "77" }, { node, headers });
const both = async (key: string) => [(await get(key, 0)).status, (await get(key, 1)).status];
const upsert = (key: string, id: string, options: Options & { body?: object } = {}) =>
  post("users/upsert", key, options.body ?? { externalId: "u-1" }, { ...options, id });
const runs = () => calls.filter(({ action }) => action === "user.ofExternal").length;
const newId = () => `write-${randomUUID()}`;
const counted = (attempt: (number: number) => Promise<void>) =>
  whileRedisAnswers(
    "api-gateway",
    gateways.map(({ broker }) => broker),
    attempt,
  );

/** Makes `user.ofExternal` wait. Returns when it is called, and what ends it. */
function held() {
  const called = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  answers["user.ofExternal"] = async () => {
    called.resolve();
    await go.promise;
    return { userId: "77", created: true };
  };
  return { called: called.promise, go: go.resolve };
}

describe("API keys", () => {
  test("a new key works on every gateway at once; a revoked one is refused by each within a second, also where the broadcast is lost", async () => {
    const lost = platforms.map((node) => jest.spyOn(node, "broadcast").mockRejectedValue(new Error("the bus is away")));
    const { key, keyId } = await makeKey();
    expect(key).toMatch(/^ovk_[a-z0-9]{12}_[A-Za-z0-9_-]{43}$/);
    expect(await both(key)).toEqual([200, 200]);
    expect((await revoke(keyId)).revokedTime).not.toBeNull();
    // Gateways that read the keys as often as they should are in time by far, also on a machine that stalls.
    const soonMs = limits.platform.keysStaleMs / 2;
    const refused = (node: 0 | 1) => eventually("refused", async () => (await get(key, node)).status === 401, soonMs);
    await Promise.all([refused(0), refused(1)]);
    for (const spy of lost) spy.mockRestore();
    const kept = await database.query<{ digest: string }>("SELECT * FROM t_api_key WHERE key_id = ?", [keyId]);
    expect(JSON.stringify(kept)).not.toContain(key.slice(17));
  });

  test("making and revoking a key leave audit rows with the person, without the key", async () => {
    const { key, keyId } = await makeKey(["users:read"]);
    await revoke(keyId);
    const rows = await database.query<{ action: string; operator: string; params: string; outcome: string }>(
      "SELECT * FROM t_operator_audit ORDER BY id DESC LIMIT 4",
    );
    expect(rows.map(({ action, outcome }) => [action, outcome]).reverse()).toEqual([
      ["platform.createKey", "started"],
      ["platform.createKey", "succeeded"],
      ["platform.revokeKey", "started"],
      ["platform.revokeKey", "succeeded"],
    ]);
    for (const row of rows) expect(row.operator).toMatch(/^console:person/);
    expect(JSON.stringify(rows)).not.toContain(key.slice(17));
  });

  test("a key is let in with its scopes alone, and no key, a wrong secret and a user's token are not", async () => {
    const { key } = await makeKey(["users:read"]);
    expect((await get(key)).data).toEqual({
      ...{ userId: "77", externalId: "u-77", nickName: "nick-77", avatar: "/a.png" },
    });
    expect(await upsert(key, newId())).toMatchObject({ status: 403, code: 100_003 });
    for (const wrong of ["", `${key.slice(0, -1)}${key.endsWith("A") ? "E" : "A"}`, `${key}A`, alice.token, "ovk_"])
      expect(await get(wrong)).toMatchObject({ status: 401, code: 100_002 });
    const cookie = { Cookie: `qytk=${key}` };
    expect((await send(`${at(0).base}/live/server/v1/users/get`, { body: {}, headers: cookie })).status).toBe(401);
    expect(runs()).toBe(0);
  });

  test("an API key is no login of a user", async () => {
    const { key } = await makeKey();
    const answer = await send(`${at(0).base}/live/api/home/initPage`, { headers: bearer(key) });
    expect(answer).toMatchObject({ status: 401, code: 100_002 });
  });

  test("a key that is revoked while its body comes is refused", async () => {
    const { key, keyId } = await makeKey();
    await get(key);
    const body = JSON.stringify({ userId: "77" });
    const headers = { ...bearer(key), "Content-Type": "application/json", "Content-Length": body.length };
    const request = httpRequest(`${at(0).base}/live/server/v1/users/get`, { method: "POST", headers });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request.once("response", resolve).once("error", reject);
    });
    const { serverApi } = at(0).broker.getLocalService("api-gateway") as unknown as Gateway;
    const known = jest.spyOn(serverApi.keys, "known");
    request.write(body.slice(0, 1));
    await eventually("the key is let in", async () => known.mock.results.some(({ value }) => value !== undefined));
    known.mockRestore();
    await revoke(keyId);
    await eventually("refused", async () => (await get(key)).status === 401);
    request.end(body.slice(1));
    expect((await answered).resume().statusCode).toBe(401);
  });

  test("a key has so many requests a minute over all gateways, and other keys go on", () =>
    counted(async () => {
      const [limited, other] = [await makeKey(["users:read"], 5), await makeKey(["users:read"])];
      const results = await Promise.all(Array.from({ length: 12 }, (_, at) => get(limited.key, (at % 2) as 0 | 1)));
      expect(results.filter(({ status }) => status === 200)).toHaveLength(5);
      expect(results.filter(({ status, code }) => status === 429 && code === -10_001)).toHaveLength(7);
      expect((await get(other.key)).status).toBe(200);
    }));

  test("an address without a valid key is refused after so many tries; a valid key is let in from there", () =>
    counted(async (number) => {
      const { key } = await makeKey();
      const headers = { "X-Forwarded-For": `198.51.100.${number}` };
      const guess = () => get(`ovk_aaaaaaaaaaaa_${"A".repeat(43)}`, 0, headers);
      const most = limits.platform.failuresPerAddressPerMinute;
      const statuses = await Promise.all(Array.from({ length: most + 10 }, async () => (await guess()).status));
      expect(statuses.filter((status) => status === 401)).toHaveLength(most);
      expect((await guess()).status).toBe(429);
      expect((await get(key, 1, headers)).status).toBe(200);
      expect((await get("", 0, { "X-Forwarded-For": "192.0.2.45" })).status).toBe(401);
    }));

  test("while the platform service is away a known key is valid for 10 s, then and of unknown keys nobody knows: 503; a readable copy heals it", async () => {
    const { key } = await makeKey(["users:read"]);
    expect(await both(key)).toEqual([200, 200]);
    mysql.cut();
    const since = performance.now();
    try {
      expect(await both(key)).toEqual([200, 200]);
      for (const node of [0, 1] as const)
        expect(await get(`ovk_bbbbbbbbbbbb_${"B".repeat(43)}`, node)).toMatchObject({ status: 503, code: 503 });
      await eventually("the copy is too old", async () => (await get(key, 1)).status === 503, 30_000);
      const after = performance.now() - since;
      // The copy counts from the beginning of its last read, which may be as long ago as a poll and a call take.
      expect(after).toBeGreaterThan(limits.platform.keysStaleMs - 4_000);
      expect(after).toBeLessThan(limits.platform.keysStaleMs + 10_000);
    } finally {
      mysql.mend();
    }
    await eventually("healed", async () => (await both(key)).every((status) => status === 200), 20_000);
  });
});

describe("requests", () => {
  let key: string;
  beforeAll(async () => {
    ({ key } = await makeKey());
  });

  test.each([
    ["a form", "externalId=u-1", { "Content-Type": "application/x-www-form-urlencoded" }],
    ["no object", "[1]", { "Content-Type": "application/json" }],
    ["broken JSON", "{", { "Content-Type": "application/json" }],
  ])("with a body that is %s are refused", async (_what, body, headers) => {
    expect(await post("users/upsert", key, body, { id: newId(), headers })).toMatchObject({ status: 400, code: 400 });
  });

  test("take no fields from the query", async () => {
    expect(await post("users/get?userId=77", key, {})).toMatchObject({ status: 400, code: 100_001 });
  });

  test.each([
    ["neither id", {}],
    ["both ids", { userId: "77", externalId: "u-1" }],
    ["an id that is none", { userId: "0" }],
    ["an empty external id", { externalId: "" }],
    ["half a surrogate pair", { externalId: "\ud83d" }],
    ["NUL", { externalId: "a\0" }],
  ])("with %s are refused", async (_what, body) => {
    expect(await post("users/get", key, body)).toMatchObject({ status: 400, code: 100_001 });
  });

  test("find a user by either id, and nobody is a refusal", async () => {
    answers["user.idsOfExternal"] = ({ externalIds }) => ({
      list: externalIds.flatMap((externalId) => (externalId === "u-78" ? [{ externalId, userId: "78" }] : [])),
    });
    const found = { userId: "78", externalId: "u-78", nickName: "nick-78", avatar: "/a.png" };
    expect((await post("users/get", key, { externalId: "u-78" })).data).toEqual(found);
    expect((await post("users/get", key, { userId: 78 })).data).toEqual(found);
    expect(await post("users/get", key, { externalId: "nobody" })).toMatchObject({ status: 200, code: 501 });
  });

  test.each([undefined, "short", "x".repeat(65), "with a space", "ümlaut-key"])(
    "that write are refused with the idempotency key %p",
    async (id) => {
      const headers: Record<string, string> =
        id === undefined ? {} : { "Idempotency-Key": Buffer.from(id).toString("latin1") };
      const answer = await post("users/upsert", key, { externalId: "u-1" }, { headers });
      expect(answer).toMatchObject({ status: 400, code: 100_001 });
      expect(runs()).toBe(0);
    },
  );
});

describe("a write with an idempotency key", () => {
  let key: string;
  beforeAll(async () => {
    ({ key } = await makeKey());
  });

  test("that comes over two connections of two gateways at once runs once, and both get its answer", async () => {
    const id = newId();
    const { called, go } = held();
    const begun = jest.spyOn(Idempotency.prototype, "begin");
    const first = upsert(key, id);
    await called;
    const second = upsert(key, id, { node: 1 });
    const third = upsert(key, id, { node: 0 });
    await eventually(
      "the repeats wait",
      async () => begun.mock.calls.flat(2).filter(({ key: of }) => of === id).length > 3,
    );
    begun.mockRestore();
    go();
    for (const answer of await Promise.all([first, second, third]))
      expect(answer).toMatchObject({ status: 200, code: 200, data: { userId: "77" } });
    expect(runs()).toBe(1);
  });

  test("gets the first answer for ever, with another API key too, and other content is refused", async () => {
    const id = newId();
    const answer = await upsert(key, id);
    expect(answer.data).toEqual({ userId: "77", externalId: "u-1" });
    answers["user.ofExternal"] = () => ({ userId: "78", created: false });
    const { key: rotated } = await makeKey();
    await database.run(
      "UPDATE t_idempotency SET create_time = create_time - INTERVAL 7 DAY WHERE idempotency_key = ?",
      [id],
    );
    expect((await upsert(rotated, id, { node: 1 })).data).toEqual(answer.data);
    const other = { body: { externalId: "u-1", nickName: "new" } };
    expect(await upsert(key, id, other)).toMatchObject({ status: 200, code: 10_011 });
    expect(runs()).toBe(1);
  });

  test("keeps a refusal, in the language of who asks", async () => {
    const id = newId();
    answers["user.ofExternal"] = () => {
      throw fail("accountUnusable");
    };
    expect(await upsert(key, id)).toMatchObject({ status: 200, code: 10_012, msg: "账户不可用" });
    forget();
    const english = await upsert(key, id, { node: 1, headers: { "Accept-Language": "en" } });
    expect(english).toMatchObject({ status: 200, code: 10_012, msg: "account invalid or frozen" });
    expect(runs()).toBe(0);
  });

  test.each(["unavailable", "internal", "tooMany"] as const)(
    "is free for the same content after %s, and still refuses other content",
    async (name) => {
      const id = newId();
      answers["user.ofExternal"] = () => {
        throw fail(name);
      };
      expect((await upsert(key, id)).status).toBeGreaterThanOrEqual(429);
      forget();
      expect((await upsert(key, id, { body: { externalId: "u-2" } })).code).toBe(10_011);
      expect((await upsert(key, id, { node: 1 })).code).toBe(200);
      expect(runs()).toBe(1);
    },
  );

  test("whose params are refused does not use its idempotency key up", async () => {
    const id = newId();
    expect((await upsert(key, id, { body: { externalId: "" } })).status).toBe(400);
    expect((await upsert(key, id)).code).toBe(200);
  });

  test("is answered 503 and not run while the platform's database is away", async () => {
    mysql.cut();
    try {
      expect(await upsert(key, newId())).toMatchObject({ status: 503, code: 503 });
      expect(runs()).toBe(0);
    } finally {
      mysql.mend();
    }
    await eventually("healed", async () => (await upsert(key, newId())).code === 200, 20_000);
  });

  test("whose answer cannot be kept is answered 503, and a repeat gets an answer once the lease is over", async () => {
    const id = newId();
    const { called, go } = held();
    const first = upsert(key, id);
    await called;
    mysql.cut();
    try {
      go();
      const answer = await first;
      expect(answer).toMatchObject({ status: 503, code: 503 });
      expect(answer.headers.get("retry-after")).toBe("2");
    } finally {
      mysql.mend();
    }
    await eventually("the database is back", async () => (await upsert(key, newId())).code === 200, 20_000);
    await database.run("UPDATE t_idempotency SET lease_time = UTC_TIMESTAMP(3) WHERE idempotency_key = ?", [id]);
    expect(await upsert(key, id, { node: 1 })).toMatchObject({ code: 200, data: { userId: "77" } });
  });

  test("waits for a first one that is under way no longer than its bound: 503", async () => {
    const id = newId();
    const { called, go } = held();
    const first = upsert(key, id);
    await called;
    const since = performance.now();
    expect(await upsert(key, id, { node: 1 })).toMatchObject({ status: 503, code: 503 });
    expect(performance.now() - since).toBeLessThan(limits.platform.repeatWaitMs + 10_000);
    go();
    expect((await first).code).toBe(200);
    expect((await upsert(key, id, { node: 1 })).code).toBe(200);
    expect(runs()).toBe(1);
  });

  test("whose lease was over before it ended gets the answer of the one that took over", async () => {
    const id = newId();
    const { called, go } = held();
    const first = upsert(key, id);
    await called;
    await database.run("UPDATE t_idempotency SET lease_time = UTC_TIMESTAMP(3) WHERE idempotency_key = ?", [id]);
    answers["user.ofExternal"] = () => ({ userId: "78", created: false });
    expect((await upsert(key, id, { node: 1 })).data).toMatchObject({ userId: "78" });
    go();
    expect((await first).data).toMatchObject({ userId: "78" });
  });
});
