import { randomBytes, randomUUID } from "node:crypto";
import type { ServiceBroker as Broker } from "moleculer";
import { fail, failureName } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { shownOf } from "../../../mixins/http/answer.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { IdempotentWrites, shownWhileUnsure } from "../../../services/api-gateway/server/idempotent-writes.ts";
import { call, type ParamsOf } from "../../../services/contracts.ts";
import { Idempotency } from "../../../services/platform/idempotency.ts";
import { purgeKeys } from "../../../services/platform/idempotency-store.ts";
import platform from "../../../services/platform/platform.service.ts";
import { startNode, stopAll, waitForNode } from "../../support/system.ts";

type Write = ParamsOf<"platform.begin">["writes"][number];

let nodes: [Broker, Broker];
/** Without the service, so that every call goes over the bus. */
let caller: Broker;
let database: Database;

beforeAll(async () => {
  nodes = [await startNode("platform-1", [platform]), await startNode("platform-2", [platform])];
  caller = await startNode("caller", []);
  await Promise.all(nodes.map((node) => waitForNode(caller, "platform", node.nodeID)));
  database = new Database(databaseName("platform"));
});

afterAll(async () => {
  await database.close();
  await stopAll();
});

const hex = () => randomBytes(16).toString("hex");
const writeOf = (other: Partial<Write> = {}): Write => ({
  ...{ key: randomUUID(), attempt: hex(), fingerprint: "0".repeat(32), rerun: false },
  ...other,
});
const again = (write: Write, other: Partial<Write> = {}) => writeOf({ key: write.key, ...other });
const begin = async (writes: Write[], node: 0 | 1 = 0) =>
  (await call(caller, "platform.begin", { writes }, { nodeID: nodes[node].nodeID })).outcomes;
const outcome = async (write: Write, node: 0 | 1 = 0) => (await begin([write], node))[0];
const finish = async ({ key, attempt }: Write, answer?: string, node: 0 | 1 = 0) => {
  const write = answer === undefined ? { key, attempt } : { key, attempt, answer };
  return (await call(caller, "platform.finish", { writes: [write] }, { nodeID: nodes[node].nodeID })).kept[0];
};
const age = (write: Write, column: "lease_time" | "create_time", ms: number) =>
  database.run(`UPDATE t_idempotency SET ${column} = ${column} - INTERVAL ? MICROSECOND WHERE idempotency_key = ?`, [
    ms * 1_000,
    write.key,
  ]);

test("of a hundred keys that begin fifty times each at once over two nodes, one attempt of each runs", async () => {
  const keys = Array.from({ length: 100 }, () => randomUUID());
  const rounds = Array.from({ length: 50 }, (_, at) => {
    const writes = keys.map((key) => writeOf({ key })).sort(() => Math.random() - 0.5);
    return begin(writes, (at % 2) as 0 | 1).then((outcomes) =>
      outcomes.map((one, i) => [writes[i]?.key, one] as const),
    );
  });
  const all = (await Promise.all(rounds)).flat();
  for (const key of keys) {
    const outcomes = all.filter(([name]) => name === key).map(([, { outcome: what }]) => what);
    expect(outcomes.filter((what) => what === "run")).toHaveLength(1);
    expect(outcomes.filter((what) => what === "underWay")).toHaveLength(49);
  }
});

test("equal keys of one call are one row: the first runs, the second waits, other content is refused", async () => {
  const first = writeOf();
  const writes = [first, again(first), again(first, { fingerprint: "f".repeat(32) })];
  expect(await begin(writes)).toEqual([{ outcome: "run" }, { outcome: "underWay" }, { outcome: "conflict" }]);
});

test("a call that is repeated runs its attempt, on whatever node", async () => {
  const write = writeOf();
  expect([await outcome(write), await outcome(write, 1)]).toEqual([{ outcome: "run" }, { outcome: "run" }]);
});

test("an answer is given to every repeat on every node, also seven days later, and never changes", async () => {
  const write = writeOf();
  await outcome(write);
  expect(await finish(write, '{"data":1}')).toBe(true);
  expect(await finish(write, '{"data":1}', 1)).toBe(true);
  await age(write, "create_time", 7 * 24 * 3_600_000);
  await purgeKeys(database);
  for (const node of [0, 1] as const)
    expect(await outcome(again(write), node)).toEqual({ outcome: "answered", answer: '{"data":1}' });
  expect(await outcome(again(write, { fingerprint: "e".repeat(32) }))).toEqual({ outcome: "conflict" });
  const late = again(write);
  expect(await finish(late, '{"data":2}')).toBe(false);
  expect(await outcome(again(write))).toEqual({ outcome: "answered", answer: '{"data":1}' });
});

test("keys of more than eight days ago are deleted, and no others", async () => {
  const [old, young] = [writeOf(), writeOf()];
  await begin([old, young]);
  await age(old, "create_time", limits.platform.answersKeptMs + 1_000);
  await age(young, "create_time", limits.platform.answersKeptMs - 60_000);
  await purgeKeys(database);
  const left = await database.query("SELECT idempotency_key FROM t_idempotency WHERE idempotency_key IN (?)", [
    [old.key, young.key],
  ]);
  expect(left).toEqual([{ idempotency_key: young.key }]);
});

test("a key that began again lately is not deleted, whenever it began first", async () => {
  const write = writeOf();
  await outcome(write);
  await age(write, "create_time", limits.platform.answersKeptMs + 1_000);
  await finish(write);
  const later = again(write);
  expect(await outcome(later)).toEqual({ outcome: "run" });
  await purgeKeys(database);
  expect(await finish(later, '{"data":1}')).toBe(true);
  expect(await outcome(again(write))).toEqual({ outcome: "answered", answer: '{"data":1}' });
});

test("when its lease is over one other attempt takes over, and the first one's end counts no longer", async () => {
  const write = writeOf();
  await outcome(write);
  await age(write, "lease_time", limits.platform.leaseMs + 1);
  const others = Array.from({ length: 10 }, () => again(write));
  const outcomes = await Promise.all(others.map((other, at) => outcome(other, (at % 2) as 0 | 1)));
  const winners = others.filter((_, at) => outcomes[at]?.outcome === "run");
  expect(winners).toHaveLength(1);
  expect(await finish(write, '{"data":"first"}')).toBe(false);
  expect(await finish(winners[0] as Write, '{"data":"second"}', 1)).toBe(true);
  expect(await outcome(again(write))).toEqual({ outcome: "answered", answer: '{"data":"second"}' });
});

test("a key whose attempt ended without an answer is free for the same content at once, not for other content", async () => {
  const write = writeOf();
  await outcome(write);
  expect(await finish(write)).toBe(true);
  expect(await outcome(again(write, { fingerprint: "d".repeat(32) }), 1)).toEqual({ outcome: "conflict" });
  expect(await outcome(again(write), 1)).toEqual({ outcome: "run" });
});

test("a write that may be run again makes no repeat wait; while the first may be under way the others are unsure", async () => {
  const write = writeOf({ rerun: true });
  const second = again(write, { rerun: true });
  const unsure = { outcome: "run", unsure: true };
  expect([await outcome(write), await outcome(second, 1)]).toEqual([{ outcome: "run" }, unsure]);
  expect(await outcome(second)).toEqual(unsure);
  expect(await finish(second)).toBe(true);
  const third = again(write, { rerun: true });
  expect(await outcome(third)).toEqual(unsure);
  expect(await finish(third)).toBe(true);
  await database.run("UPDATE t_idempotency SET earlier_lease_time = UTC_TIMESTAMP(3) WHERE idempotency_key = ?", [
    write.key,
  ]);
  expect(await outcome(again(write, { rerun: true }))).toEqual({ outcome: "run" });
});

test("a refusal beside an attempt that still runs is answered 503 and not kept: the first one's success counts", async () => {
  const writes = new IdempotentWrites({
    platform: {
      begin: async (one) => (await outcome(one)) as never,
      finish: async ({ key, attempt, answer }) => (await finish({ key, attempt } as Write, answer)) === true,
    },
    log: { warn: jest.fn(), error: jest.fn() } as never,
  });
  const write = { key: randomUUID(), fingerprint: "0".repeat(32), rerun: true, path: "gifts/send", requestId: "r" };
  const refuse = () => Promise.reject(shownWhileUnsure(fail("balanceShort"), { orderId: "o-1" }));
  const isHeld = Promise.withResolvers<void>();
  const letGo = Promise.withResolvers<{ orderId: string }>();
  const first = writes.once(write, () => {
    isHeld.resolve();
    return letGo.promise;
  });
  await isHeld.promise;
  for (const _again of [1, 2]) {
    const refused = await writes.once(write, refuse).catch((error: unknown) => error);
    expect([failureName(refused), shownOf(refused)]).toEqual(["unavailable", { orderId: "o-1" }]);
  }
  letGo.resolve({ orderId: "o-1" });
  expect(await first).toEqual({ orderId: "o-1" });
  expect(await writes.once(write, async () => ({ orderId: "o-1" }))).toEqual({ orderId: "o-1" });
  const alone = { ...write, key: randomUUID() };
  expect(await writes.once(alone, refuse).catch(failureName)).toBe("balanceShort");
  expect(await writes.once(alone, async () => ({ orderId: "o-2" })).catch(failureName)).toBe("balanceShort");
});

test("a refusal is kept where no other attempt has begun", async () => {
  const write = writeOf({ rerun: true });
  const second = again(write, { rerun: true });
  await outcome(write);
  await outcome(second, 1);
  expect(await finish(write, '{"failure":"balanceShort"}')).toBe(false);
  expect(await finish(second, '{"failure":"balanceShort"}')).toBe(true);
  expect((await outcome(again(write, { rerun: true })))?.outcome).toBe("answered");
});

test("requests that arrive together are one INSERT", async () => {
  const statements: string[] = [];
  const counting = (method: "run" | "query") => ({
    value(sql: string, values: unknown[]) {
      statements.push(sql);
      return database[method](sql, values);
    },
  });
  const counted = Object.create(database, { run: counting("run"), query: counting("query") }) as Database;
  const idempotency = new Idempotency(counted);
  const full = (write: Write) => ({ rerun: false, ...write });
  await Promise.all(Array.from({ length: 60 }, () => idempotency.begin([full(writeOf())])));
  expect(statements).toHaveLength(1);
  expect(statements[0]).toContain("INSERT INTO t_idempotency");
});
