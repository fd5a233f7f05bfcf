import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { databaseName } from "../../../config/config.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { apiScopes } from "../../../services/api-scopes.ts";
import { call } from "../../../services/contracts.ts";
import platform from "../../../services/platform/platform.service.ts";
import { NodeProcess } from "../../support/node-process.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import {
  answers,
  calls,
  forget,
  neighbourNames,
  send,
  startGateway,
  startNeighbours,
} from "../api-gateway/neighbours.ts";

/** Writes of the server API whose nodes are killed. A gateway and a platform node are processes of their own. */

jest.setTimeout(90_000);

const servers = () => ({
  nats: { url: process.env.NATS_URL as string },
  mysql: { url: process.env.MYSQL_URL as string },
  redis: { url: process.env.REDIS_URL as string },
});

let key: string;
let here: string;
let gatewayProcess: NodeProcess | undefined;
let platformProcess: NodeProcess | undefined;
let database: Database;

beforeAll(async () => {
  const own = await startNode("platform-here", [platform]);
  await startNeighbours(neighbourNames.filter((name) => name !== "platform"));
  const { broker, base } = await startGateway();
  here = base;
  [gatewayProcess, platformProcess] = await Promise.all([
    NodeProcess.start("api-gateway", servers()),
    NodeProcess.start("platform", servers()),
  ]);
  for (const id of [own.nodeID, platformProcess.nodeId]) await waitForNode(broker, "platform", id);
  const wanted = { name: "backend", scopes: [...apiScopes], operator: "console:test" };
  ({ key } = await call(broker, "platform.createKey", wanted));
  database = new Database(databaseName("platform"));
});
beforeEach(forget);
afterAll(async () => {
  await database?.close();
  await Promise.all([gatewayProcess?.stop(), platformProcess?.stop()]);
  await stopAll();
});

const upsert = (base: string, id: string, externalId: string) =>
  send(`${base}/live/server/v1/users/upsert`, {
    body: { externalId },
    headers: { Authorization: `Bearer ${key}`, "Idempotency-Key": id },
  });
const there = () => `http://127.0.0.1:${gatewayProcess?.ports["api-gateway"]}`;

/** Repeats a request until it is answered otherwise than with 503. */
async function answered(base: string, id: string, externalId: string) {
  for (;;) {
    const answer = await upsert(base, id, externalId);
    if (answer.status !== 503) return answer;
    await pause(50);
  }
}

test("a repeat of a write whose gateway was killed in the middle takes over after its lease, and gets its answer", async () => {
  const id = `write-${randomUUID()}`;
  await eventually(
    "the other gateway lets in",
    async () => (await upsert(there(), `a-${id}`, "x")).code === 200,
    20_000,
  );
  forget();
  const called = Promise.withResolvers<void>();
  const go = Promise.withResolvers<{ userId: string; created: boolean }>();
  answers["user.ofExternal"] = () => {
    called.resolve();
    return go.promise;
  };
  const first = upsert(there(), id, "u-1").catch((error: Error) => error);
  await called.promise;
  await gatewayProcess?.kill();
  expect(await first).toHaveProperty("message", "fetch failed");
  answers["user.ofExternal"] = () => ({ userId: "79", created: false });
  go.resolve({ userId: "78", created: true });
  // One request waits for less than a lease takes: it is answered since the lease is over.
  const waiting = upsert(here, id, "u-1");
  await database.run("UPDATE t_idempotency SET lease_time = UTC_TIMESTAMP(3) WHERE idempotency_key = ?", [id]);
  expect((await waiting).data).toMatchObject({ userId: "79" });
  answers["user.ofExternal"] = () => ({ userId: "80", created: false });
  expect((await upsert(here, id, "u-1")).data).toMatchObject({ userId: "79" });
});

test("when a platform node is killed under writes, each is answered, and a repeat of each gets that answer", async () => {
  const users = new Map<string, string>();
  answers["user.ofExternal"] = ({ externalId }) => {
    const known = users.get(externalId);
    users.set(externalId, known ?? String(1_000 + users.size));
    return { userId: users.get(externalId) as string, created: known === undefined };
  };
  const writes = Array.from({ length: 300 }, () => ({ id: `write-${randomUUID()}`, externalId: randomUUID() }));
  const killed = Promise.withResolvers<void>();
  const first = await Promise.all(
    writes.map(async ({ id, externalId }, at) => {
      await pause(at * 5);
      if (at === 100) platformProcess?.kill().then(killed.resolve);
      return answered(here, id, externalId);
    }),
  );
  await killed.promise;
  expect(new Set(first.map(({ code }) => code))).toEqual(new Set([200]));
  first.forEach(({ data }, at) => {
    expect(data).toMatchObject({ userId: users.get(writes[at]?.externalId as string) });
  });
  const before = calls.length;
  const again = await Promise.all(writes.map(({ id, externalId }) => answered(here, id, externalId)));
  expect(again.map(({ data }) => data)).toEqual(first.map(({ data }) => data));
  expect(calls.slice(before).filter(({ action }) => action === "user.ofExternal")).toEqual([]);
});
