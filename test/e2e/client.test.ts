/** The client of clients/typescript against the running system. */
import { createUserClient, OvationError } from "../../clients/typescript/src/index.ts";
import { apiUrl, pressCashier, randomPhone, requestId, scene } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { clientOf, leaveRooms, recorded } from "../support/recorded-room.ts";
import { expectWholeBooksBalanced } from "../support/whole-books.ts";

afterEach(leaveRooms);
afterAll(expectWholeBooksBalanced);

test("a user logs in with a code, and out, after which the token is refused", async () => {
  const client = createUserClient({ baseUrl: apiUrl(), language: "en" });
  const phone = randomPhone();
  const { devCode } = await client.api.userLogin.sendLoginCode({ phone });
  const refused = client.login({ phone, code: devCode === "111111" ? "222222" : "111111" });
  await expect(refused).rejects.toMatchObject({ code: 501, status: 200, traceId: expect.any(String) });
  const { userId, token } = await client.login({ phone, code: devCode as string });
  expect(await client.api.home.initPage()).toMatchObject({ userId, loginStatus: true });
  await client.logout();
  await eventually("the token is refused", () =>
    clientOf({ token })
      .api.bank.income()
      .then(() => false, isRefusedToken),
  );
});

const isRefusedToken = (error: unknown) => error instanceof OvationError && error.name === "notLoggedIn";

test("gifts of the client are accepted once for each request id, settled, and shown in the room", async () => {
  const { anchor, fan, roomId } = await scene();
  const [sender, viewer] = [clientOf(fan), recorded(clientOf(anchor).enterRoom(roomId))];
  await viewer.online();
  const gift = { giftId: 22, roomId, receiverId: anchor.userId, count: 2 };
  const first = await sender.gifts.send(gift);
  if (first.outcome !== "accepted") throw first;
  expect(await sender.gifts.send({ ...gift, requestId: first.requestId })).toEqual(first);
  const reused = await sender.gifts.send({ ...gift, count: 3, requestId: first.requestId });
  expect(reused).toMatchObject({ outcome: "refused", name: "idempotencyConflict", code: 10011 });
  expect(await sender.gifts.outcomeOf(first.orderId)).toMatchObject({ status: "succeeded", count: 2, roomId });
  await eventually("the effect", () => viewer.counts() === 2);
  const [shown] = viewer.seen.gifts?.[0]?.gifts ?? [];
  expect(shown).toMatchObject({ senderId: fan.userId, receiverId: anchor.userId, giftId: 22 });
  expect(shown?.orderTags).toEqual([first.orderId.slice(-12)]);
  const records = await sender.api.gift.records({ direction: "sent", limit: 10 });
  expect(records.list.map(({ orderId }) => orderId)).toEqual([first.orderId]);
});

test("refusals have the names of the failures", async () => {
  const { anchor, fan, roomId } = await scene();
  const sender = clientOf(fan);
  const gift = { giftId: 22, roomId, receiverId: anchor.userId };
  const name = async (over: object) => {
    const result = await sender.gifts.send({ ...gift, ...over });
    return result.outcome === "refused" ? result.name : result.outcome;
  };
  expect(await name({ giftId: 9_999_999 })).toBe("giftUnknown");
  expect(await name({ receiverId: fan.userId })).toBe("giftToSelf");
  expect(await name({ roomId: 9_999_999 })).toBe("roomNotLive");
  expect(await name({ count: 9_999 })).toBe("balanceShort");
  await expect(sender.gifts.send({ ...gift, count: 0 })).rejects.toMatchObject({ name: "invalidParam", status: 400 });
  const order = sender.api.gift.order({ orderId: requestId() });
  await expect(order).rejects.toMatchObject({ name: "giftOrderUnknown", code: 501 });
});

test("chat, a payment and the end of the room come over the connection", async () => {
  const { anchor, fan, roomId } = await scene();
  const [one, other] = [recorded(clientOf(fan).enterRoom(roomId)), recorded(clientOf(anchor).enterRoom(roomId))];
  await Promise.all([one.online(), other.online()]);
  expect(one.room.sendChat("hello 天使")).toBe(true);
  expect(one.room.sendChat("")).toBe(true);
  await eventually("the chat", () => other.seen.chat);
  expect(other.seen.chat).toEqual([{ msgId: expect.any(String), senderId: fan.userId, content: "hello 天使" }]);
  await eventually("the refusal", () => one.seen.refused);
  const { orderId, payUrl } = await clientOf(fan).api.bank.payProduct({ productId: 6, paySource: 1, payChannel: 3 });
  await pressCashier(payUrl as string, "pay");
  const payment = await eventually("the payment", () => one.seen.payment?.find((paid) => paid.orderId === orderId));
  expect(payment).toMatchObject({ coins: 300, balance: 1300 });
  await clientOf(anchor).api.living.closeLiving({ roomId });
  await eventually("the end", () => one.room.state === "stopped" && one.seen.roomClosed);
  expect(one.seen.state?.at(-1)).toMatchObject({ code: 4410 });
  expect(other.seen.payment).toBeUndefined();
});
