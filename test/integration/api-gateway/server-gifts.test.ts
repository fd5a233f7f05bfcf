import { randomUUID } from "node:crypto";
import { fail } from "../../../broker/failure.ts";
import { orderIdOf } from "../../../services/gift-order-id.ts";
import { eventually, stopAll } from "../../support/system.ts";
import { alice, answers, backendKey, calls, forget, send, startGateway, startNeighbours } from "./neighbours.ts";

/** What a gateway makes of requests about rooms, gifts and wallets: with services that answer as the test says. */

let base = "";

beforeAll(async () => {
  await startNeighbours();
  ({ base } = await startGateway());
  await eventually("the key is known", async () => (await post("gifts/list", {})).code === 200);
});
beforeEach(forget);
afterAll(stopAll);

const post = (path: string, body: object) =>
  send(`${base}/live/server/v1/${path}`, {
    body,
    headers: { Authorization: `Bearer ${backendKey}`, "Idempotency-Key": `write-${randomUUID()}` },
  });
const asked = (action: string) => calls.filter((one) => one.action === action);

const requestId = "request-0001";
const gift = { userId: alice.userId, receiverId: "77", roomId: 5, giftId: 22, count: 3, requestId };
const orderId = orderIdOf(alice.userId, requestId);
/** The names of what is sent by its external ids; each test has its own, since the gateway keeps them. */
const external = () => ({ externalId: randomUUID(), receiverExternalId: randomUUID(), externalRoomId: randomUUID() });

test("a gift goes to the gift service as the user's own, by its ids, and its success is not kept", async () => {
  answers["user.idsOfExternal"] = ({ externalIds }) => ({
    list: externalIds.map((externalId) => ({
      externalId,
      userId: externalId === ids.externalId ? alice.userId : "77",
    })),
  });
  const ids = external();
  const { userId: _userId, receiverId: _receiverId, roomId: _roomId, ...rest } = gift;
  expect(await post("gifts/send", { ...rest, ...ids })).toMatchObject({
    status: 200,
    data: { orderId: "gift-order-1" },
  });
  expect(asked("gift.send").map(({ params }) => params)).toEqual([{ ...gift, type: 0 }]);
  expect(asked("platform.begin")).toHaveLength(1);
  expect(asked("platform.finish")).toEqual([]);
  forget();
  expect((await post("gifts/send", { ...rest, ...ids })).code).toBe(200);
  // Who is who is known by now. Which room has the id is known for a second, which may be over.
  const others = calls.map(({ action }) => action).filter((action) => action !== "living-room.idsOfExternal");
  expect(others).toEqual(["platform.begin", "gift.send"]);
});

test.each([
  ["may have been accepted", { orderId }, { mayHaveHappened: true }],
  ["was not looked up, so an earlier request may have been", { orderId }, { beforeLookup: true }],
  ["was certainly not accepted", null, {}],
])("a gift that %s is answered 503 with %j", async (_what, data, about) => {
  answers["gift.send"] = () => {
    throw fail("unavailable", about);
  };
  const answer = await post("gifts/send", gift);
  expect([answer.status, answer.data]).toEqual([503, data]);
  expect(answer.headers.get("retry-after")).not.toBeNull();
  expect(asked("platform.finish")).toEqual([]);
});

test("a refusal is kept, and the limit of the user is not", async () => {
  answers["gift.send"] = () => {
    throw fail("balanceShort");
  };
  expect(await post("gifts/send", gift)).toMatchObject({ status: 200, code: 10010 });
  expect(asked("platform.finish")).toHaveLength(1);
  answers["gift.send"] = () => {
    throw fail("tooMany", { waitMs: 1_000 });
  };
  expect(await post("gifts/send", gift)).toMatchObject({ status: 429, code: -10001 });
  expect(asked("platform.finish")).toHaveLength(1);
});

describe("a request id that is in use", () => {
  const { roomId: _roomId, ...rest } = gift;
  const order = { ...{ orderId, status: "accepted" as const, giftId: 22, count: 3, price: 90, receiverId: "77" } };
  const sendAgain = () => post("gifts/send", { ...rest, externalRoomId: "the room" });

  beforeEach(() => {
    answers["gift.send"] = () => {
      throw fail("idempotencyConflict");
    };
    answers["living-room.externalIdsOf"] = ({ roomIds }) => ({
      list: roomIds.map((roomId) => ({ roomId, externalRoomId: roomId === 8 ? "another room" : "the room" })),
    });
  });

  test.each([
    ["in an earlier room of the same external id", 4, {}, 200],
    ["in a room of another external id", 8, {}, 10011],
    ["in that earlier room, of another gift", 4, { giftId: 23 }, 10011],
    ["in that earlier room, of another count", 4, { count: 2 }, 10011],
    ["in that earlier room, to another receiver", 4, { receiverId: "78" }, 10011],
    ["in this room", 5, {}, 10011],
  ])("by a gift %s", async (_what, roomId, change, code) => {
    answers["gift.orderForPlatform"] = () => ({
      ...{ ...order, senderId: alice.userId, roomId, time: "2026-01-02T03:04:05.678Z" },
      ...change,
    });
    const answer = await sendAgain();
    expect([answer.status, answer.code]).toEqual([200, code]);
    if (code === 200) expect(answer.data).toEqual({ orderId });
  });

  test.each([
    ["cannot be read", "unavailable"],
    ["is accepted and not known yet", "giftOrderUnknown"],
  ] as const)("is answered 503 with the order where the order %s", async (_what, failure) => {
    answers["gift.orderForPlatform"] = () => {
      throw fail(failure);
    };
    expect(await sendAgain()).toMatchObject({ status: 503, data: { orderId } });
  });

  test("stays refused where the room is named by its id", async () => {
    answers["gift.send"] = () => {
      throw fail("idempotencyConflict");
    };
    expect(await post("gifts/send", gift)).toMatchObject({ status: 200, code: 10011 });
    expect(asked("gift.orderForPlatform")).toEqual([]);
  });
});

test.each([
  ["user.idsOfExternal", "gifts/send", { ...gift, userId: undefined }, "externalId"],
  ["living-room.idsOfExternal", "gifts/send", { ...gift, roomId: undefined }, "externalRoomId"],
  ["gift.orderForPlatform", "gifts/order", { orderId: "gift-order-1" }, undefined],
  ["gift.catalogue", "gifts/list", {}, undefined],
  ["living-room.openForPlatform", "rooms/open", { userId: "77", type: 1 }, undefined],
  ["living-room.closeForPlatform", "rooms/close", { roomId: 5 }, undefined],
  ["living-room.find", "rooms/get", { roomId: 5 }, undefined],
  ["living-room.ofAnchor", "rooms/ofAnchor", { userId: "77" }, undefined],
  ["wallet.balance", "wallet/balance", { userId: "77" }, undefined],
  ["wallet.statement", "wallet/statement", { userId: "77" }, undefined],
  ["wallet.income", "wallet/income", { userId: "77" }, undefined],
] as const)("while %s is away, %s is answered 503, not 500", async (action, path, body, named) => {
  answers[action] = () => {
    throw fail("unavailable");
  };
  const answer = await post(path, { ...body, ...(named && { [named]: randomUUID() }) });
  expect([answer.status, answer.code]).toEqual([503, 503]);
});

test("answers carry both ids of users and rooms", async () => {
  const room = { roomId: 9, externalRoomId: "r-9", anchorId: "870", anchorExternalId: "u-870" };
  answers["living-room.find"] = ({ roomId }) => ({ roomId, anchorId: "870", type: 1, roomName: "r" });
  answers["living-room.closeForPlatform"] = () => ({ roomId: 9, anchorId: "870", closed: true });
  answers["living-room.idsOfExternal"] = () => ({ list: [{ externalRoomId: "r-9", roomId: 9 }] });
  expect((await post("rooms/get", { roomId: 9 })).data).toEqual({ ...room, type: 1, roomName: "r" });
  expect((await post("rooms/close", { externalRoomId: "r-9" })).data).toEqual({ ...room, closed: true });
  expect(asked("living-room.closeForPlatform").map(({ params }) => params)).toEqual([
    { externalRoomId: "r-9", writeId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
  ]);
  expect((await post("rooms/open", { userId: "870", type: 1 })).data).toMatchObject({ anchorExternalId: "u-870" });
  expect(asked("living-room.openForPlatform").map(({ params }) => params)).toEqual([
    { userId: "870", type: 1, writeId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
  ]);
  answers["gift.orderForPlatform"] = () => ({
    ...{ orderId: "gift-order-1", status: "failed", reason: "balanceShort", giftId: 22, count: 3, price: 90 },
    ...{ senderId: "871", receiverId: "870", roomId: 9, time: "2026-01-02T03:04:05.678Z" },
  });
  expect((await post("gifts/order", { orderId: "gift-order-1" })).data).toMatchObject({
    ...{ senderId: "871", senderExternalId: "u-871", receiverId: "870", receiverExternalId: "u-870" },
    ...{ roomId: 9, externalRoomId: "r-9", status: "failed", reasonCode: 10010 },
  });
  answers["wallet.balance"] = ({ userId }) => ({ userId, balance: 5, debt: 0, totalCharged: 5, status: 2 });
  for (const path of ["wallet/balance", "wallet/income", "wallet/statement"])
    expect((await post(path, { userId: "870" })).data).toMatchObject({ userId: "870", externalId: "u-870" });
});
