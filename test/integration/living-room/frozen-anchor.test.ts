import type { ServiceBroker, ServiceSchema } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { databaseName, natsPrefix } from "../../../config/config.ts";
import type { JetStreamState } from "../../../mixins/jetstream.mixin.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import { call } from "../../../services/contracts.ts";
import { durableEvent } from "../../../services/durable-event.ts";
import { closeIfUnusable } from "../../../services/living-room/frozen-anchors.ts";
import livingRoom from "../../../services/living-room/living-room.service.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { rows } from "../../support/books.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../../support/system.ts";

/** Holds a start between its check of the account and the opening of the room. */
let beforeOpening: Promise<void> | undefined;
let atOpening = () => {};
/** Who is banned everywhere, as the user service answers. */
let banned: string[] = [];
const neighbours: ServiceSchema[] = [
  {
    name: "user",
    actions: {
      bannedAmong: () => ({ userIds: banned }),
      async profile(ctx: { params: { userId: string } }) {
        atOpening();
        await beforeOpening;
        return { userId: ctx.params.userId, nickName: "小鱼", avatar: "" };
      },
    },
  } as unknown as ServiceSchema,
  { name: "im-router", actions: { closeRoom: () => null } } as unknown as ServiceSchema,
];

let caller: ServiceBroker;
let roomNode: ServiceBroker;
let purse: ServiceBroker;
let database: Database;
const redis = openRedis("test");

const startRooms = async () => {
  const settings = { ...(livingRoom.settings as object), checkEveryMs: 50, accountsEveryMs: 100 };
  roomNode = await startNode("rooms", [{ ...livingRoom, settings: settings as ServiceSchema["settings"] }]);
  await roomNode.waitForServices(["wallet", "user", "im-router"]);
  await waitForNode(caller, "living-room", roomNode.nodeID);
};

beforeAll(async () => {
  caller = await startNode("caller", neighbours);
  purse = await startNode("wallet", [wallet]);
  await caller.waitForServices("wallet");
  await startRooms();
  database = new Database(databaseName("living-room"));
  await redis.connect();
});
afterAll(async () => {
  await database.close();
  redis.disconnect();
  await stopAll();
});
afterEach(() => {
  beforeOpening = undefined;
  atOpening = () => {};
});

let anchors = 0n;
const newAnchor = () => String(372_345_678_900_000_000n + ++anchors);
const start = (userId: string) => call(caller, "living-room.start", { userId, type: 1 });
/** Removes the limit of one start in ten seconds. */
const later = (userId: string) => redis.del(`rate:living-room:room-start:${userId}`);
const move = (kind: "freeze" | "unfreeze", userId: string) =>
  call(caller, `wallet.${kind}`, { userId, reason: "test", operator: "alice" });
const isLive = async (roomId: number) => (await call(caller, "living-room.find", { roomId })) !== null;
const closings = (roomId: number) =>
  database.query("SELECT id FROM t_outbox WHERE order_key = ? AND subject = 'event.room.closed'", [`room:${roomId}`]);
const jetstream = () => (purse.getLocalService("wallet") as unknown as JetStreamState).jetstream;

/** Resolves once the living-room service has handled every published event of a name. */
async function handled(durable: string): Promise<void> {
  await eventually(`${durable} has handled all`, async () => {
    // The outboxes first: what leaves them is in the stream afterwards.
    for (const service of ["wallet", "living-room"] as const)
      if ((await rows(service, "SELECT id FROM t_outbox WHERE sent_time IS NULL")).length > 0) return false;
    const info = await jetstream().manager.consumers.info(`${natsPrefix()}EVENTS`, durable);
    return info.num_pending === 0 && info.num_ack_pending === 0;
  });
}

test("a frozen account cannot go live, and the try counts; an unfrozen user and one without an account can", async () => {
  const anchorId = newAnchor();
  await move("freeze", anchorId);
  expect(await start(anchorId).catch(failureName)).toBe("accountUnusable");
  expect(await start(anchorId).catch(failureName)).toBe("startTooOften");
  await move("unfreeze", anchorId);
  await later(anchorId);
  const { roomId } = await start(anchorId);
  await handled("living-room-room-opened");
  expect(await isLive(roomId)).toBe(true);
  expect(await isLive((await start(newAnchor())).roomId)).toBe(true);
});

test("a banned user cannot go live, and a live room is closed once its anchor is banned, also without an event", async () => {
  const [anchorId, other] = [newAnchor(), newAnchor()];
  const [{ roomId }, neighbour] = await Promise.all([start(anchorId), start(other)]);
  await handled("living-room-room-opened");
  banned = [anchorId];
  try {
    await eventually("the room is closed", async () => !(await isLive(roomId)));
    await later(anchorId);
    expect(await start(anchorId).catch(failureName)).toBe("banned");
    expect(await closings(roomId)).toHaveLength(1);
    expect(await isLive(neighbour.roomId)).toBe(true);
  } finally {
    banned = [];
  }
  await later(anchorId);
  expect((await start(anchorId)).roomId).toBeGreaterThan(roomId);
});

test("a guest who is banned receives no more gifts, also without an event; and a banned user is linked nowhere", async () => {
  const [anchorId, guestId, other] = [newAnchor(), newAnchor(), newAnchor()];
  const { roomId } = await start(anchorId);
  const guestOf = async () => (await call(caller, "living-room.find", { roomId }))?.guestId;
  const link = (userId: string, battleId: string) =>
    call(caller, "living-room.linkGuest", { roomId, guestId: userId, battleId });
  await link(guestId, "71");
  await eventually("she is linked", async () => (await guestOf()) === guestId);
  banned = [guestId];
  try {
    await eventually("she is unlinked", async () => (await guestOf()) === undefined);
    expect(await isLive(roomId)).toBe(true);
    expect(await link(guestId, "71").catch(failureName)).toBe("alreadyLinked");
    expect(await link(guestId, "72").catch(failureName)).toBe("banned");
    await link(other, "73");
    await eventually("another one is linked", async () => (await guestOf()) === other);
  } finally {
    banned = [];
  }
});

test("an invalid account cannot go live either", async () => {
  const anchorId = newAnchor();
  const books = new Database(databaseName("wallet"));
  await books.run("INSERT INTO t_qiyu_currency_account (user_id, status) VALUES (?, 0)", [anchorId]);
  await books.close();
  expect(await start(anchorId).catch(failureName)).toBe("accountUnusable");
});

test("a freeze closes the anchor's live room once, and no other room; after the unfreeze she opens another", async () => {
  const [anchorId, other] = [newAnchor(), newAnchor()];
  const [{ roomId }, neighbour] = await Promise.all([start(anchorId), start(other)]);
  await move("freeze", anchorId);
  await eventually("the room is closed", async () => !(await isLive(roomId)));
  await later(anchorId);
  expect(await start(anchorId).catch(failureName)).toBe("accountUnusable");
  await move("freeze", anchorId);
  await handled("living-room-account-frozen");
  expect(await closings(roomId)).toHaveLength(1);
  const records = await database.query("SELECT anchor_id, status FROM t_living_room_record WHERE id = ?", [roomId]);
  expect(records).toEqual([{ anchor_id: anchorId, status: 0 }]);
  expect(await isLive(neighbour.roomId)).toBe(true);
  await move("unfreeze", anchorId);
  await later(anchorId);
  expect((await start(anchorId)).roomId).toBeGreaterThan(roomId);
});

test("a freeze while every living-room node is away closes the room when one is back", async () => {
  const anchorId = newAnchor();
  const { roomId } = await start(anchorId);
  await stopNode(roomNode);
  await move("freeze", anchorId);
  expect(await database.query("SELECT id FROM t_living_room WHERE id = ?", [roomId])).toHaveLength(1);
  await startRooms();
  await eventually("the room is closed", async () => (await closings(roomId)).length === 1);
  expect(await database.query("SELECT id FROM t_living_room WHERE id = ?", [roomId])).toEqual([]);
});

test("a room whose start checked the account before the freeze and opened after it is closed", async () => {
  const anchorId = newAnchor();
  const opening = Promise.withResolvers<void>();
  const reached = new Promise<void>((resolve) => {
    atOpening = resolve;
  });
  beforeOpening = opening.promise;
  const starting = start(anchorId);
  await reached;
  await move("freeze", anchorId);
  await handled("living-room-account-frozen");
  opening.resolve();
  const { roomId } = await starting;
  await eventually("the room is closed", async () => (await closings(roomId)).length === 1);
  expect(await isLive(roomId)).toBe(false);
});

test("a late or repeated event of a freeze that is over closes no room", async () => {
  const anchorId = newAnchor();
  await move("freeze", anchorId);
  await move("unfreeze", anchorId);
  const { roomId } = await start(anchorId);
  const data = { userId: anchorId, reason: "test", time: new Date().toISOString() };
  const { subject, payload, msgId } = durableEvent("account.frozen", `again-${anchorId}`, data);
  await jetstream().publish(subject, payload, { msgId });
  await handled("living-room-account-frozen");
  expect(await isLive(roomId)).toBe(true);
});

test("a room that opens after an unfreeze, while the account is being checked, stays open", async () => {
  const anchorId = newAnchor();
  const { roomId: first } = await start(anchorId);
  const opened: number[] = [];
  // The wallet, whose answer "frozen" is on its way while the anchor closes her room, is unfrozen and goes live again.
  const slowWallet = {
    async call(action: string) {
      if (action !== "wallet.unusableOf") return { userIds: [] };
      await call(caller, "living-room.close", { userId: anchorId, roomId: first });
      await later(anchorId);
      opened.push((await start(anchorId)).roomId);
      return { userIds: [anchorId] };
    },
    broadcast: () => Promise.resolve(),
  };
  const rooms = Object.create(roomNode.getLocalService("living-room"), { broker: { value: slowWallet } });
  await closeIfUnusable(rooms, anchorId, undefined);
  expect(opened).toHaveLength(1);
  expect(await isLive(opened[0] as number)).toBe(true);
});

test("a freeze without an event closes the room too, and a wallet that is away is asked again", async () => {
  const [anchorId, other] = [newAnchor(), newAnchor()];
  const [{ roomId }, neighbour] = await Promise.all([start(anchorId), start(other)]);
  await handled("living-room-room-opened");
  const warn = jest.spyOn(roomNode.getLocalService("living-room").logger, "warn");
  await stopNode(purse);
  await eventually("a warning", () => warn.mock.calls.some(([, text]) => /checked for frozen/.test(String(text))));
  warn.mockRestore();
  expect(await isLive(roomId)).toBe(true);
  const books = new Database(databaseName("wallet"));
  await books.run("INSERT INTO t_qiyu_currency_account (user_id, status) VALUES (?, 2)", [anchorId]);
  await books.close();
  purse = await startNode("wallet-again", [wallet]);
  await eventually("the room is closed", async () => !(await isLive(roomId)));
  expect(await closings(roomId)).toHaveLength(1);
  expect(await isLive(neighbour.roomId)).toBe(true);
});
