import type { ServiceBroker } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import { call, type ParamsOf } from "../../../services/contracts.ts";
import imServer from "../../../services/im-server/im-server.service.ts";
import user from "../../../services/user/user.service.ts";
import { admitting } from "../../support/restrictions-fake.ts";
import { eventually, startNode, stopAll, stopNode } from "../../support/system.ts";
import {
  addressOf,
  connect,
  cutClients,
  livingRoomFake,
  open,
  openClient,
  postToRoom,
  seeing,
  startRouter,
  type TestClient,
  tokenOf,
} from "./im-nodes.ts";

/** Mutes, bans and removed chat: the user service, a router and two im-servers, each a broker of its own. */

let a: ServiceBroker;
let b: ServiceBroker;
let router: ServiceBroker;
let userNode: ServiceBroker;
const redis = openRedis("test");

const startServer = async (label: string) => admitting(await startNode(label, [imServer]));

beforeAll(async () => {
  await redis.connect();
  userNode = await startNode("user", [user]);
  router = await startRouter("router", livingRoomFake);
  a = await startServer("im-a");
  b = await startServer("im-b");
  await Promise.all([
    seeing(a, { "im-router": 1, "living-room": 1, "im-server": 2, user: 1 }),
    seeing(b, { "im-router": 1, "living-room": 1, "im-server": 2, user: 1 }),
    seeing(router, { "im-server": 2, user: 1 }),
  ]);
});
afterAll(async () => {
  cutClients();
  redis.disconnect();
  await stopAll();
});
afterEach(() => jest.restoreAllMocks());

let people = 0;
const newUser = async () =>
  (await call(router, "user.ofExternal", { externalId: `im-restricted-${process.pid}-${++people}` })).userId;
let rooms = 7_000;
const newRoom = () => ++rooms;
const restrict = (userId: string, more: Partial<ParamsOf<"user.restrict">> = {}) =>
  call(router, "user.restrict", { userId, kind: "mute", reason: "spam", operator: "staff:ann", ...more });
const lift = (restrictionId: string) =>
  call(router, "user.liftRestriction", { restrictionId, reason: "appeal", operator: "staff:ann" });
/** The database's time, ms. */
const now = async () => (await call(router, "user.restrictionsSince", { since: 1 })).now;

const acks = (client: TestClient) =>
  client.frames.filter(({ code }) => code === 1005).map(({ body }) => body as unknown as Record<string, unknown>);
let words = 0;
/** Says something; the ack, or `undefined` where the room got it. */
async function say(client: TestClient): Promise<{ ack: Record<string, unknown> | undefined }> {
  const content = `words ${++words}`;
  const before = acks(client).length;
  client.chat(content, { msgId: content });
  return eventually("an ack or the room's frame", () => {
    const ack = acks(client)[before];
    const isHeard = client.business(5555).some(({ data }) => data.content === content);
    return ack || isHeard ? { ack } : undefined;
  });
}
/** From when on the next words are refused. The wait is that of the rule: a second. */
const refusedSoon = (client: TestClient) => eventually("chat is refused", async () => (await say(client)).ack, 1_000);
const heardAgain = (client: TestClient) =>
  eventually("chat is not refused", async () => (await say(client)).ack === undefined);

describe("a muted user", () => {
  test("is refused on every node within a second, with 10013 and the end, until the mute is lifted; and after a reconnect", async () => {
    const [userId, roomId] = [await newUser(), newRoom()];
    const client = await connect(b, userId, roomId);
    expect(await say(client)).toEqual({ ack: undefined });
    const until = new Date((await now()) + 3_600_000).toISOString();
    const { restrictionId } = await restrict(userId, { until });
    const ack = await refusedSoon(client);
    expect(ack).toEqual({
      ...{ bizCode: 5555, code: 10013, error: "you are muted", until },
      msgId: expect.stringContaining("words"),
    });
    const again = await connect(a, userId, roomId);
    expect((await say(again)).ack).toMatchObject({ code: 10013 });
    const forEver = await restrict(userId);
    await eventually("for ever", async () => (await say(again)).ack?.until === null);
    await lift(forEver.restrictionId);
    await lift(restrictionId);
    await heardAgain(again);
    await again.leave();
  });

  test("in one room is heard in the others, and gets what the room gets", async () => {
    const [userId, other] = [await newUser(), await newUser()];
    const [roomId, elsewhere] = [newRoom(), newRoom()];
    const [client, speaker] = [await connect(a, userId, roomId), await connect(b, other, roomId)];
    await restrict(userId, { roomId });
    await refusedSoon(client);
    expect(await say(speaker)).toEqual({ ack: undefined });
    await eventually("the muted one reads it", () => client.business(5555).length > 0);
    expect(client.closed).toBeUndefined();
    const away = await connect(b, userId, elsewhere);
    expect(await say(away)).toEqual({ ack: undefined });
    await Promise.all([away.leave(), speaker.leave()]);
  });

  test("is heard again when the time is over, without any call", async () => {
    const [userId, roomId] = [await newUser(), newRoom()];
    const client = await connect(a, userId, roomId);
    await restrict(userId, { until: new Date((await now()) + 1_500).toISOString() });
    await refusedSoon(client);
    await heardAgain(client);
    await client.leave();
  });

  test("is refused where the broadcast is lost: the nodes read the rows", async () => {
    const [userId, roomId] = [await newUser(), newRoom()];
    const client = await connect(b, userId, roomId);
    const lost = jest.spyOn(userNode, "broadcast").mockResolvedValue(undefined as never);
    await restrict(userId);
    expect(lost).toHaveBeenCalledWith("user.restrictions-changed", expect.anything());
    await eventually("chat is refused", async () => (await say(client)).ack, 2_000);
    await client.leave();
  });
});

describe("a banned user", () => {
  test("is closed with 4414 on every node within a second, and is not admitted by any", async () => {
    const [userId, roomId] = [await newUser(), newRoom()];
    const client = await connect(b, userId, roomId);
    const { restrictionId } = await restrict(userId, { kind: "ban" });
    expect((await client.closing(1_000)).code).toBe(4414);
    for (const node of [a, b]) {
      const refused = await open(node, userId, roomId);
      expect(await refused.closing()).toEqual({ code: 4414, reason: "you are banned" });
      expect(refused.greeting).toBeUndefined();
    }
    await lift(restrictionId);
    await eventually("admitted", async () => {
      const back = await open(a, userId, roomId);
      await eventually("an end", () => back.greeting ?? back.closed);
      const isIn = back.greeting !== undefined;
      if (isIn) await back.leave();
      return isIn;
    });
  });

  test("in one room is put out of it and stays out, and enters others", async () => {
    const [userId, roomId, elsewhere] = [await newUser(), newRoom(), newRoom()];
    const client = await connect(a, userId, roomId);
    await restrict(userId, { kind: "ban", roomId });
    expect((await client.closing(1_000)).code).toBe(4414);
    expect((await (await open(b, userId, roomId)).closing()).code).toBe(4414);
    const away = await connect(b, userId, elsewhere);
    expect(await say(away)).toEqual({ ack: undefined });
    await restrict(userId, { kind: "ban", roomId: newRoom() });
    expect(await say(away)).toEqual({ ack: undefined });
    await away.leave();
  });

  test("is closed where the broadcast is lost: the nodes read the rows", async () => {
    const userId = await newUser();
    const client = await connect(b, userId, newRoom());
    jest.spyOn(userNode, "broadcast").mockResolvedValue(undefined as never);
    await restrict(userId, { kind: "ban" });
    expect((await client.closing(2_000)).code).toBe(4414);
  });
});

test("a node that starts without the user service admits nobody; known bans stay in force while it is away", async () => {
  const [userId, other, roomId] = [await newUser(), await newUser(), newRoom()];
  await restrict(userId, { kind: "ban" });
  await eventually("known", async () => (await (await open(a, userId, roomId)).closing()).code === 4414);
  await stopNode(userNode);
  const late = await startNode("im-late", [imServer]);
  try {
    await seeing(late, { "im-router": 1, "living-room": 1, "im-server": 3 });
    const refused = openClient(`${await addressOf(late)}?token=${await tokenOf(router, other)}&roomId=${roomId}`);
    expect((await refused.closing()).code).toBe(4503);
    expect((await (await open(a, userId, roomId)).closing()).code).toBe(4414);
    const inside = await connect(a, other, roomId);
    expect(await say(inside)).toEqual({ ack: undefined });
    await inside.leave();
    userNode = await startNode("user-again", [user]);
    await admitting(late);
    expect((await (await open(late, userId, roomId)).closing()).code).toBe(4414);
  } finally {
    await stopNode(late);
  }
});

describe("chat that is removed", () => {
  const remove = (roomId: number, msgId: string, more: { spared?: string[]; always?: boolean } = {}) =>
    call(router, "im-router.removeChat", { roomId, msgId, spared: [], always: false, ...more });
  /** The msgId of what somebody said, as everybody in the room got it. */
  async function said(client: TestClient): Promise<{ msgId: string; seq: number; content: string }> {
    await say(client);
    const { msgId, data } = client.business(5555).at(-1) as { msgId: string; data: Record<string, unknown> };
    return { msgId, seq: Number(data.seq), content: String(data.content) };
  }
  const removals = (client: TestClient) => client.business(5564).map(({ data }) => data);

  test.each(["1", "2"])(
    "is told to the room by a numbered 5564, and is in no replay on any node, in version %s",
    async (v) => {
      const [userId, viewer, roomId] = [await newUser(), await newUser(), newRoom()];
      const speaker = await connect(a, userId, roomId, { v });
      const watcher = await connect(b, viewer, roomId, { v });
      const position = watcher.greeting as unknown as { seq: number; epoch: string };
      const first = await said(speaker);
      await eventually("seen", () => watcher.business(5555).length === 1);
      // Both nodes have replayed it, and keep its frame for the next clients.
      const since = { since: position.seq, epoch: position.epoch, v };
      for (const node of [a, b]) {
        const back = await connect(node, await newUser(), roomId, since);
        expect(back.business(5555).map(({ msgId }) => msgId)).toEqual([first.msgId]);
        await back.leave();
      }
      const second = await said(speaker);
      await remove(roomId, first.msgId);
      await eventually("told", () => removals(watcher).length === 1 && removals(speaker).length === 1);
      expect(removals(watcher)[0]).toMatchObject({ msgId: first.msgId, seq: second.seq + 1, epoch: position.epoch });
      for (const node of [a, b]) {
        const back = await connect(node, await newUser(), roomId, since);
        expect(back.greeting).toMatchObject({ recovered: true });
        const got = back.business().map(({ bizCode, data }) => [bizCode, data.seq]);
        expect(got).toEqual([
          [5564, first.seq],
          [5555, second.seq],
          [5564, second.seq + 1],
        ]);
        expect(JSON.stringify(back.frames)).not.toContain(`"${first.content}"`);
        await back.leave();
      }
      await Promise.all([speaker.leave(), watcher.leave()]);
    },
  );

  test("is in nothing that Redis keeps of the room, and the bytes of the history are counted right", async () => {
    const [userId, roomId] = [await newUser(), newRoom()];
    const speaker = await connect(a, userId, roomId);
    const { msgId, content } = await said(speaker);
    await remove(roomId, msgId);
    const log = await redis.zrange(`im:room:${roomId}:frames`, 0, -1);
    expect(log.filter((frame) => frame.includes(`"${content}"`))).toEqual([]);
    const bytes = log.reduce((sum, frame) => sum + Buffer.byteLength(frame), 0);
    expect(Number(await redis.hget(`im:room:${roomId}`, "bytes"))).toBe(bytes);
    // Also where it was the only frame: a history without an expiry would stay for ever.
    expect(await redis.pttl(`im:room:${roomId}:frames`)).toBeGreaterThan(0);
    await speaker.leave();
  });

  test("may be removed again; what the history does not have is unknown, and is told only where that is asked for", async () => {
    const [userId, roomId] = [await newUser(), newRoom()];
    const speaker = await connect(a, userId, roomId);
    const { msgId } = await said(speaker);
    await remove(roomId, msgId);
    await remove(roomId, msgId);
    expect(await remove(roomId, "3f0e9c1a-none").catch(failureName)).toBe("chatUnknown");
    expect(await remove(newRoom(), msgId).catch(failureName)).toBe("chatUnknown");
    await remove(roomId, "3f0e9c1a-gone", { always: true });
    await eventually("told", () => removals(speaker).some((data) => data.msgId === "3f0e9c1a-gone"));
    expect(removals(speaker).map((data) => data.msgId)).toEqual([msgId, msgId, "3f0e9c1a-gone"]);
    await speaker.leave();
  });

  test("stays where it is of somebody who is spared, and a frame that is no chat is never removed", async () => {
    const [userId, roomId] = [await newUser(), newRoom()];
    const speaker = await connect(a, userId, roomId);
    const { msgId } = await said(speaker);
    expect(await remove(roomId, msgId, { spared: ["5", userId] }).catch(failureName)).toBe("notAllowed");
    await postToRoom(router, { roomId, senderId: "0", msgId: "battle-state", bizCode: 5559, data: { content: "x" } });
    expect(await remove(roomId, "battle-state").catch(failureName)).toBe("chatUnknown");
    expect(removals(speaker)).toEqual([]);
    await speaker.leave();
  });
});
