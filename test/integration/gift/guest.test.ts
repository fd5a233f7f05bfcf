import type { ServiceBroker, ServiceSchema } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { call } from "../../../services/contracts.ts";
import gift from "../../../services/gift/gift.service.ts";
import livingRoom from "../../../services/living-room/living-room.service.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced } from "../../support/books.ts";
import { settledOrders, tradesOf } from "../../support/outcomes.ts";
import { recharge } from "../../support/recharge.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";

/** The guest of a room receives gifts in it, on every node: two of living-room and two of gift. */

jest.setTimeout(60_000);

const [anchor, guest, other, giver] = Array.from({ length: 4 }, (_, n) =>
  String(9_700_000_000_000_000_000n + BigInt(n)),
) as [string, string, string, string];
const neighbours = [
  {
    name: "im-router",
    actions: { roomGifts: () => null, closeRoom: () => null, sendToUsers: () => ({ delivered: 1 }) },
  },
  {
    name: "user",
    actions: {
      profile: () => ({ userId: anchor, nickName: "n", avatar: "" }),
      bannedAmong: () => ({ userIds: [] }),
    },
  },
] as unknown as ServiceSchema[];

let caller: ServiceBroker;
let rooms: ServiceBroker[];
let gifts: ServiceBroker[];

beforeAll(async () => {
  await startNode("neighbours", neighbours);
  await startNode("wallet", [wallet]);
  rooms = await Promise.all([startNode("room-1", [livingRoom]), startNode("room-2", [livingRoom])]);
  gifts = await Promise.all([startNode("gift-1", [gift]), startNode("gift-2", [gift])]);
  caller = await startNode("caller", []);
  await caller.waitForServices(["wallet", "im-router", "user"]);
  for (const room of rooms) await room.waitForServices("user");
  for (const { nodeID } of rooms) await waitForNode(caller, "living-room", nodeID);
  for (const { nodeID } of gifts) await waitForNode(caller, "gift", nodeID);
  await recharge(caller, "order-giver", giver, 1_000);
});
afterAll(stopAll);
afterEach(expectBooksBalanced);

const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => "ok",
    (error) => failureName(error) ?? error,
  );
const onNode = (node: number, of: ServiceBroker[]) => ({ nodeID: of[node]?.nodeID as string });
const link = (roomId: number, guestId: string, battleId: string, node = 0) =>
  call(caller, "living-room.linkGuest", { roomId, guestId, battleId }, onNode(node, rooms));
const unlink = (roomId: number, battleId: string, node = 0) =>
  call(caller, "living-room.unlinkGuest", { roomId, battleId }, onNode(node, rooms));
const sendOn = (node: number, roomId: number, receiverId: string, userId = giver) =>
  call(caller, "gift.send", { userId, giftId: 24, roomId, receiverId }, onNode(node, gifts));
const find = (roomId: number, node: number) => call(caller, "living-room.find", { roomId }, onNode(node, rooms));

let hosts = 0;
const open = async (userId = String(9_710_000_000_000_000_000n + BigInt(++hosts))) =>
  (await call(caller, "living-room.start", { userId, type: 2 }, onNode(0, rooms))).roomId;

test("a linked guest is a receiver on every node within a second, with a share like any receiver's; unlinked she is none", async () => {
  const roomId = await open(anchor);
  // Every cache has the room without a guest.
  for (const node of [0, 1]) expect(await outcomeOf(sendOn(node, roomId, guest))).toBe("roomNotLive");
  await link(roomId, guest, "41");
  const sent = await Promise.all(
    [0, 1].map((node) =>
      eventually("the guest is a receiver", () => sendOn(node, roomId, guest).catch(() => undefined), 1_000),
    ),
  );
  const orderIds = sent.map(({ orderId }) => orderId);
  expect((await settledOrders(orderIds)).map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
  expect(new Set((await tradesOf(orderIds)).map(({ income }) => income))).toEqual(new Set([0]));
  await eventually(
    "her income is rolled up",
    async () => (await call(caller, "wallet.income", { userId: guest })).earnedPoints === 100,
  );
  for (const node of [0, 1]) {
    expect(await outcomeOf(sendOn(node, roomId, other))).toBe("roomNotLive");
    expect(await outcomeOf(sendOn(node, roomId, guest, guest))).toBe("giftToSelf");
    expect(await outcomeOf(sendOn(node, roomId, anchor))).toBe("ok");
    expect(await find(roomId, node)).toMatchObject({ anchorId: anchor, guestId: guest });
  }
  await unlink(roomId, "41", 1);
  await Promise.all(
    [0, 1].map((node) =>
      eventually("she is none", async () => (await outcomeOf(sendOn(node, roomId, guest))) === "roomNotLive", 1_000),
    ),
  );
  expect(await find(roomId, 0)).not.toHaveProperty("guestId");
});

test("a repeat changes nothing; another guest or battle is refused, and does not unlink", async () => {
  const roomId = await open();
  await Promise.all([link(roomId, guest, "51"), link(roomId, guest, "51", 1)]);
  expect(await outcomeOf(link(roomId, other, "52"))).toBe("alreadyLinked");
  expect(await outcomeOf(link(roomId, guest, "52", 1))).toBe("alreadyLinked");
  await unlink(roomId, "52");
  expect(await find(roomId, 0)).toMatchObject({ guestId: guest });
  await unlink(roomId, "51");
  await unlink(roomId, "51");
  expect(await outcomeOf(link(roomId, other, "53"))).toBe("ok");
});

test("a link that is carried out after its battle was unlinked is refused, and the next battle's guest is linked", async () => {
  const roomId = await open();
  // 9 and 10: ids are compared as numbers.
  await unlink(roomId, "9");
  expect(await outcomeOf(link(roomId, guest, "9", 1))).toBe("alreadyLinked");
  await link(roomId, guest, "10");
  await unlink(roomId, "10", 1);
  await unlink(roomId, "9");
  for (const battleId of ["10", "9"]) expect(await outcomeOf(link(roomId, guest, battleId))).toBe("alreadyLinked");
  expect(await find(roomId, 0)).not.toHaveProperty("guestId");
  expect(await outcomeOf(link(roomId, other, "11"))).toBe("ok");
});

test("of two that link at once, on two nodes, one is linked", async () => {
  const roomId = await open();
  const outcomes = await Promise.all([outcomeOf(link(roomId, guest, "61")), outcomeOf(link(roomId, other, "62", 1))]);
  expect(outcomes.toSorted()).toEqual(["alreadyLinked", "ok"]);
});

test("the anchor is no guest of her own room, and a room that is not live has none; closing a room unlinks", async () => {
  const host = String(9_720_000_000_000_000_000n);
  const roomId = await open(host);
  expect(await outcomeOf(link(roomId, host, "71"))).toBe("invalidParam");
  expect(await outcomeOf(link(999_999_999, guest, "71"))).toBe("roomNotLive");
  await link(roomId, guest, "71");
  await call(caller, "living-room.close", { userId: host, roomId }, onNode(1, rooms));
  expect(await outcomeOf(sendOn(0, roomId, guest))).toBe("roomNotLive");
  expect(await outcomeOf(link(roomId, guest, "71"))).toBe("roomNotLive");
  expect(await outcomeOf(unlink(roomId, "71"))).toBe("ok");
});
