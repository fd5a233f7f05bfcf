import { randomUUID } from "node:crypto";
import { Person, requestId } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { settledOrders, tradesOf } from "../support/outcomes.ts";
import { PlatformBackend } from "../support/platform-backend.ts";
import { expectWholeBooksBalanced } from "../support/whole-books.ts";

let backend: PlatformBackend;

beforeAll(async () => {
  backend = await PlatformBackend.open();
});

afterAll(expectWholeBooksBalanced);

const newRoomId = () => `room ${randomUUID()} 🐟`;

interface Room {
  roomId: number;
  anchorId: string;
  anchorExternalId: string;
  externalRoomId: string;
  opened: boolean;
}

/** An anchor of the platform in a live room, by the platform's ids. */
async function stage() {
  const anchor = await backend.user();
  const externalRoomId = newRoomId();
  const open = () => backend.ask<Room>("rooms/open", { externalId: anchor.externalId, externalRoomId, type: 1 });
  return { anchor, externalRoomId, open, room: await open() };
}

/** A user with 1000 coins, who logs in by phone: the platform means her by her user id. */
async function richFan(): Promise<Person> {
  const fan = await Person.login();
  await fan.recharge();
  return fan;
}

describe("rooms of the platform", () => {
  test("are opened and closed by external ids, and answers carry both ids", async () => {
    const { anchor, externalRoomId, open, room } = await stage();
    const { roomId } = room;
    expect(room).toEqual({
      ...{ roomId: expect.any(Number), externalRoomId, anchorId: anchor.userId, anchorExternalId: anchor.externalId },
      ...{ type: 1, roomName: expect.any(String), opened: true },
    });
    expect(await open()).toMatchObject({ roomId, opened: false });
    const { opened: _opened, ...live } = room;
    for (const by of [{ roomId }, { externalRoomId }]) expect(await backend.ask("rooms/get", by)).toEqual(live);
    expect(await backend.ask("rooms/ofAnchor", { externalId: anchor.externalId })).toEqual(live);
    const closed = { roomId, externalRoomId, anchorId: anchor.userId, anchorExternalId: anchor.externalId };
    expect(await backend.ask("rooms/close", { externalRoomId })).toEqual({ ...closed, closed: true });
    expect(await backend.ask("rooms/close", { roomId })).toEqual({ ...closed, closed: false });
    expect(await backend.post("rooms/get", { roomId })).toMatchObject({ status: 200, code: 10009 });
    expect(await backend.post("rooms/get", { externalRoomId })).toMatchObject({ status: 200, code: 10009 });
    expect(await backend.post("rooms/ofAnchor", { userId: anchor.userId })).toMatchObject({ code: 10009 });
  });

  test("a close that is repeated with its key closes no later room of the same id", async () => {
    const { externalRoomId, open, room } = await stage();
    const key = randomUUID();
    const first = await backend.post("rooms/close", { externalRoomId }, key);
    expect(first).toMatchObject({ code: 200, data: { roomId: room.roomId, closed: true } });
    const next = await open();
    expect(next.roomId).not.toBe(room.roomId);
    expect((await backend.post("rooms/close", { externalRoomId }, key)).data).toEqual(first.data);
    expect(await backend.ask("rooms/get", { externalRoomId })).toMatchObject({ roomId: next.roomId });
  });

  test.each([
    ["a user who does not exist", { externalId: "nobody", type: 1 }, 200, 501],
    ["a user id that does not exist", { userId: "17", type: 1 }, 200, 501],
    ["no type", { userId: "17" }, 200, 10001],
    ["no user", { type: 1 }, 400, 100001],
    ["two names of one user", { userId: "17", externalId: "a", type: 1 }, 400, 100001],
    ["an external room id that is too long", { userId: "17", type: 1, externalRoomId: "x".repeat(65) }, 400, 100001],
  ])("are not opened for %s", async (_what, body, status, code) => {
    const answer = await backend.post("rooms/open", body);
    expect([answer.status, answer.code]).toEqual([status, code]);
  });

  test("an id of another anchor's live room, and another id than the anchor's own, are refused", async () => {
    const [one, other] = [await stage(), await backend.user()];
    const open = { type: 1, externalRoomId: one.externalRoomId };
    expect(await backend.post("rooms/open", { ...open, userId: other.userId })).toMatchObject({ code: 501 });
    const elsewhere = { ...open, userId: one.anchor.userId, externalRoomId: newRoomId() };
    expect(await backend.post("rooms/open", elsewhere)).toMatchObject({ code: 501 });
    expect(await backend.ask("rooms/ofAnchor", { userId: one.anchor.userId })).toMatchObject({
      externalRoomId: one.externalRoomId,
    });
  });

  test("the anchor's own start and close go on beside it, and the platform is not held by their limits", async () => {
    const anchor = await Person.login();
    const roomId = await anchor.openRoom("mine");
    const externalRoomId = newRoomId();
    const open = { userId: anchor.userId, externalRoomId, type: 1 };
    expect(await backend.ask("rooms/open", open)).toMatchObject({ roomId, roomName: "mine", opened: false });
    expect(await backend.ask("rooms/open", open)).toMatchObject({ roomId, externalRoomId, opened: false });
    expect(await anchor.post("living/closeLiving", { roomId })).toMatchObject({ code: 200 });
    expect(await backend.ask("rooms/close", { externalRoomId })).toMatchObject({ roomId, closed: false });
  });
});

describe("gifts of the platform", () => {
  test("a gift by external ids is the user's own: charged once, shown by both ids, and on her statement", async () => {
    const { anchor, externalRoomId, room } = await stage();
    const fan = await richFan();
    const ids = { userId: fan.userId, receiverExternalId: anchor.externalId, externalRoomId };
    const gift = { ...ids, giftId: 22, count: 2, requestId: requestId() };
    const { orderId } = await backend.ask<{ orderId: string }>("gifts/send", gift);
    expect(await settledOrders([orderId])).toMatchObject([{ status: "succeeded", count: 2 }]);
    const order = await eventually("the order is settled", async () => {
      const found = await backend.ask("gifts/order", { orderId });
      return found.status === "accepted" ? undefined : found;
    });
    expect(order).toMatchObject({
      ...{ orderId, status: "succeeded", giftId: 22, count: 2, senderId: fan.userId, roomId: room.roomId },
      ...{ externalRoomId, receiverId: anchor.userId, receiverExternalId: anchor.externalId },
    });
    expect(order).not.toHaveProperty("senderExternalId");
    expect(await backend.ask("wallet/balance", { userId: fan.userId })).toMatchObject({
      ...{ userId: fan.userId, balance: 820, status: 1 },
    });
    const statement = await backend.ask<{ list: object[] }>("wallet/statement", { userId: fan.userId, limit: 1 });
    expect(statement).toMatchObject({ userId: fan.userId, list: [{ bizId: orderId, num: -180, balanceAfter: 820 }] });
    const income = await eventually("the income is rolled up", async () => {
      const found = await backend.ask("wallet/income", { externalId: anchor.externalId });
      return found.earnedPoints === 0 ? undefined : found;
    });
    expect(income).toMatchObject({ userId: anchor.userId, externalId: anchor.externalId, earnedPoints: 9_000 });
  });

  test("the same request id by the user and by the platform is one order, also under other idempotency keys", async () => {
    const { anchor, room } = await stage();
    const fan = await richFan();
    const id = requestId();
    const own = () => fan.send(room.roomId, anchor.userId, { requestId: id });
    const gift = { userId: fan.userId, receiverId: anchor.userId, roomId: room.roomId, giftId: 22, requestId: id };
    const sends = Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? own() : backend.post("gifts/send", gift)));
    const answers = await Promise.all(sends);
    expect(answers.map(({ code }) => code)).toEqual(answers.map(() => 200));
    const orderIds = new Set(answers.map(({ data }) => data.orderId as string));
    expect(orderIds.size).toBe(1);
    await settledOrders([...orderIds]);
    expect(await fan.balance()).toBe(910);
    expect(await backend.post("gifts/send", { ...gift, count: 2 })).toMatchObject({ status: 200, code: 10011 });
  });

  test("a repeat is the same order after the room was closed, and after the next one of the id opened", async () => {
    const { anchor, externalRoomId, open } = await stage();
    const fan = await richFan();
    const key = randomUUID();
    const ids = { userId: fan.userId, receiverExternalId: anchor.externalId, externalRoomId };
    const gift = { ...ids, giftId: 22, count: 1, requestId: requestId() };
    const { orderId } = (await backend.post<{ orderId: string }>("gifts/send", gift, key)).data;
    await settledOrders([orderId]);
    const again = () => Promise.all([backend.post("gifts/send", gift, key), backend.post("gifts/send", gift)]);
    await backend.ask("rooms/close", { externalRoomId });
    for (const answer of await again()) expect(answer).toMatchObject({ code: 200, data: { orderId } });
    await open();
    for (const answer of await again()) expect(answer).toMatchObject({ code: 200, data: { orderId } });
    expect(await backend.post("gifts/send", { ...gift, count: 2 })).toMatchObject({ code: 10011 });
    expect(await tradesOf([orderId])).toHaveLength(1);
    expect(await fan.balance()).toBe(910);
    const closed = { ...gift, requestId: requestId() };
    await backend.ask("rooms/close", { externalRoomId });
    expect(await backend.post("gifts/send", closed)).toMatchObject({ status: 200, code: 10009 });
  });

  test.each([
    ["to a receiver who does not exist", { receiverId: undefined, receiverExternalId: "nobody" }, 200, 501],
    ["in a room that never was", { roomId: undefined, externalRoomId: "nowhere" }, 200, 10009],
    ["of a gift that does not exist", { giftId: 999_999 }, 200, 10005],
    ["to oneself", { receiverId: "sender" }, 200, 10008],
    ["without a request id", { requestId: undefined }, 400, 100001],
    ["without a sender", { userId: undefined }, 400, 100001],
    ["by a user without coins", { count: 9_999 }, 200, 10010],
  ])("a gift %s is refused with its code", async (_what, change, status, code) => {
    const { anchor, room } = await stage();
    const fan = await backend.user();
    const gift = { userId: fan.userId, receiverId: anchor.userId, roomId: room.roomId, giftId: 22, count: 1 };
    const spoiled = { ...gift, requestId: requestId(), ...change };
    if (spoiled.receiverId === "sender") spoiled.receiverId = fan.userId;
    const answer = await backend.post("gifts/send", spoiled);
    expect([answer.status, answer.code]).toEqual([status, code]);
  });

  test("the catalogue, and an order that does not exist", async () => {
    const { list } = await backend.ask<{ list: object[] }>("gifts/list", {});
    expect(list).toContainEqual(expect.objectContaining({ giftId: 22, price: 90 }));
    expect(await backend.post("gifts/order", { orderId: randomUUID() })).toMatchObject({ status: 200, code: 501 });
  });
});

test("a key may do what its scopes say, and nothing else", async () => {
  const reader = await PlatformBackend.open(["rooms:read", "gifts:read"]);
  await eventually("the key is known", async () => (await reader.post("gifts/list", {})).code === 200);
  for (const path of ["rooms/open", "rooms/close", "gifts/send", "wallet/balance", "wallet/statement", "wallet/income"])
    expect([path, await reader.post(path, {})]).toMatchObject([
      path,
      { status: 403, code: 100003, data: { scope: expect.any(String) } },
    ]);
});
