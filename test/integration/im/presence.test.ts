/** What nodes write of a user in Redis, in whatever order it comes there. */
import type { Service, ServiceBroker } from "moleculer";
import { limits } from "../../../config/limits.ts";
import type { JetStreamState } from "../../../mixins/jetstream.mixin.ts";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import type { Connection } from "../../../services/im-server/connection.ts";
import { ImNode } from "../../../services/im-server/im-node.ts";
import { startMaintenance } from "../../../services/im-server/maintenance.ts";
import { type Presence, PresenceStore } from "../../../services/im-server/presence-store.ts";
import { makeToken, redeemToken } from "../../../services/im-tokens.ts";
import { RestrictionCopy } from "../../../services/restriction-copy.ts";
import { stopAll } from "../../support/system.ts";

const redis = openRedis("test");
const store = (nodeId: string) => new PresenceStore(redis, nodeId, limits.im.presenceLeaseMs);
const [here, there] = [store("here"), store("there")];
const since = new Date().toISOString();

beforeAll(() => redis.connect());
afterAll(async () => {
  redis.disconnect();
  await stopAll();
});

const connection = (userId: string, connectionId: string, generation: number): Presence => ({
  userId,
  connectionId,
  roomId: 1,
  since,
  generation,
});
const entryOf = (userId: string) => redis.hmget(`im:user:${userId}`, "node", "conn");

test("a connection whose node was paused does not replace the newer one elsewhere", async () => {
  const [old, newer] = [connection("1", "old", 100), connection("1", "newer", 200)];
  expect(await there.join(newer, undefined)).toMatchObject({ replaced: undefined });
  expect(await here.join(old, undefined)).toEqual({ refused: "older" });
  expect(await entryOf("1")).toEqual(["there", "newer"]);
});

test("the late leave and the late renewal of a replaced connection change nothing", async () => {
  const [old, newer] = [connection("2", "old", 100), connection("2", "newer", 200)];
  await here.join(old, undefined);
  expect(await there.join(newer, undefined)).toMatchObject({ replaced: { nodeId: "here", connectionId: "old" } });
  expect(await here.renew([old])).toEqual({ replaced: ["old"], lost: [] });
  await here.leave(old);
  expect(await entryOf("2")).toEqual(["there", "newer"]);
});

test("an entry whose lease ran out is written again, with its generation", async () => {
  const [old, own] = [connection("3", "old", 100), connection("3", "own", 200)];
  expect(await here.renew([own])).toEqual({ replaced: [], lost: ["own"] });
  expect(await entryOf("3")).toEqual(["here", "own"]);
  expect(await there.join(old, undefined)).toEqual({ refused: "older" });
});

test("a user who leaves while a node renews its leases is not written again by a later batch", async () => {
  const node = new ImNode({
    ...{ redis, jetstream: {} as JetStreamState["jetstream"] },
    broker: {
      nodeID: "renewing",
      call: async () => null,
      metrics: { register: jest.fn() },
    } as unknown as ServiceBroker,
    log: { warn: jest.fn() } as unknown as Service["logger"],
    limits: { ...limits.im, presenceRefreshMs: 0 },
    ...{ restrictions: new RestrictionCopy(), requireRestrictions: () => undefined },
  });
  jest.spyOn(node.notifications, "catchUp").mockImplementation(() => undefined);
  const everybody = Array.from({ length: limits.im.presenceBatch + 2 }, (_, i) => {
    const member = connection(String(1_000 + i), `c${i}`, i) as unknown as Connection;
    node.connections.add(member);
    node.connections.claim(member);
    return member;
  });
  const [leaving, staying] = everybody.slice(-2) as [Connection, Connection];
  const renew = node.presence.renew.bind(node.presence);
  jest.spyOn(node.presence, "renew").mockImplementationOnce(async (firstBatch) => {
    const renewed = await renew(firstBatch);
    node.leave(leaving);
    return renewed;
  });
  // The first round begins at once, and is waited for.
  await startMaintenance(node).stop();
  await node.allLeft();
  expect(await entryOf(staying.userId)).toEqual(["renewing", staying.connectionId]);
  expect(await entryOf(leaving.userId)).toEqual([null, null]);
});

test("generations rise although the clock of Redis is set back", async () => {
  const ahead = (Date.now() + 3_600_000) * 1_000;
  await redis.set("im:generation", ahead);
  try {
    const generations: (number | undefined)[] = [];
    for (let i = 0; i < 3; i++) generations.push((await redeemToken(redis, await makeToken(redis, "5")))?.generation);
    expect(generations).toEqual([ahead + 1, ahead + 2, ahead + 3]);
  } finally {
    await redis.del("im:generation");
  }
});

test("tokens used one after the other have rising generations, each works once", async () => {
  const tokens = await Promise.all(["4", "4", "4"].map((userId) => makeToken(redis, userId)));
  const generations: number[] = [];
  for (const token of tokens) generations.push((await redeemToken(redis, token))?.generation ?? 0);
  expect(
    generations.every((generation, i) => Number.isSafeInteger(generation) && generation > (generations[i - 1] ?? 0)),
  ).toBe(true);
  expect(await Promise.all(tokens.map((token) => redeemToken(redis, token)))).toEqual([null, null, null]);
});
