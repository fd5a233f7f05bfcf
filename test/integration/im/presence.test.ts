/** What nodes write of a user in Redis, in whatever order it comes there. */
import type { Service, ServiceBroker } from "moleculer";
import { limits } from "../../../config/limits.ts";
import type { JetStreamState } from "../../../mixins/jetstream.mixin.ts";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import type { Connection } from "../../../services/im-server/connection.ts";
import { ImNode, type ImSettings } from "../../../services/im-server/im-node.ts";
import imServer from "../../../services/im-server/im-server.service.ts";
import { type Presence, PresenceStore } from "../../../services/im-server/presence-store.ts";
import { startUpkeep } from "../../../services/im-server/upkeep.ts";
import { makeToken, redeemToken } from "../../../services/im-tokens.ts";
import { stopAll } from "../../support/system.ts";

const redis = openRedis("test");
const [here, there] = [new PresenceStore(redis, "here"), new PresenceStore(redis, "there")];
const since = new Date().toISOString();

beforeAll(() => redis.connect());
afterAll(async () => {
  redis.disconnect();
  await stopAll();
});

const connection = (userId: string, connectionId: string, turn: number): Presence => ({
  userId,
  connectionId,
  roomId: 1,
  since,
  turn,
});
const entryOf = (userId: string) => redis.hmget(`im:user:${userId}`, "node", "conn");

test("a connection that was held up on its node does not take the place of the newer one elsewhere", async () => {
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

test("an entry whose lease ran out is written again, with its turn", async () => {
  const [old, own] = [connection("3", "old", 100), connection("3", "own", 200)];
  expect(await here.renew([own])).toEqual({ replaced: [], lost: ["own"] });
  expect(await entryOf("3")).toEqual(["here", "own"]);
  expect(await there.join(old, undefined)).toEqual({ refused: "older" });
});

test("who leaves while a node renews its leases is not written back by a later batch", async () => {
  const node = new ImNode({
    ...{ redis, jetstream: {} as JetStreamState["jetstream"] },
    broker: { nodeID: "renewing", call: async () => null } as unknown as ServiceBroker,
    log: { warn: jest.fn() } as unknown as Service["logger"],
    settings: { ...(imServer.settings as unknown as ImSettings), presenceRefreshMs: 0 },
  });
  jest.spyOn(node.notices, "catchUp").mockImplementation(() => undefined);
  const everybody = Array.from({ length: limits.im.presenceBatch + 2 }, (_, i) => {
    const user = connection(String(1_000 + i), `c${i}`, i);
    const member = { ...user, id: user.connectionId } as unknown as Connection;
    node.roster.add(member);
    node.roster.claim(member);
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
  await startUpkeep(node).stop();
  await node.allLeft();
  expect(await entryOf(staying.userId)).toEqual(["renewing", staying.connectionId]);
  expect(await entryOf(leaving.userId)).toEqual([null, null]);
});

test("turns rise although the clock of Redis is set back", async () => {
  const ahead = (Date.now() + 3_600_000) * 1_000;
  await redis.set("im:turn", ahead);
  try {
    const turns: (number | undefined)[] = [];
    for (let i = 0; i < 3; i++) turns.push((await redeemToken(redis, await makeToken(redis, "5")))?.turn);
    expect(turns).toEqual([ahead + 1, ahead + 2, ahead + 3]);
  } finally {
    await redis.del("im:turn");
  }
});

test("tokens used one after the other have rising turns, each works once", async () => {
  const tokens = await Promise.all(["4", "4", "4"].map((userId) => makeToken(redis, userId)));
  const turns: number[] = [];
  for (const token of tokens) turns.push((await redeemToken(redis, token))?.turn ?? 0);
  expect(turns.every((turn, i) => Number.isSafeInteger(turn) && turn > (turns[i - 1] ?? 0))).toBe(true);
  expect(await Promise.all(tokens.map((token) => redeemToken(redis, token)))).toEqual([null, null, null]);
});
