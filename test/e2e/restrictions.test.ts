import { rows } from "../support/books.ts";
import { operate, Person, pressCashier, scene } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { holdAccounts } from "../support/held-accounts.ts";
import { settledOrders } from "../support/outcomes.ts";
import type { Viewer } from "../support/viewer.ts";
import { expectWholeBooksBalanced } from "../support/whole-books.ts";

/** Mutes and bans by staff and by people of a room, seen from outside. */

afterAll(expectWholeBooksBalanced);

const restrict = async (body: object) => {
  const answer = await operate<{ restrictionId: string; by: string }>("restriction/add", { reason: "spam", ...body });
  expect([answer.status, answer.code]).toEqual([200, 200]);
  return answer.data;
};
const ban = (userId: string, more: object = {}) => restrict({ userId, kind: "ban", ...more });
const lift = (restrictionId: string) => operate("restriction/lift", { restrictionId, reason: "appeal" });
const refusedWith = (person: Person, code: number) =>
  eventually(`code ${code}`, async () => (await person.post("home/initPage")).code === code, 1_000);
const say = (viewer: Viewer, content: string) =>
  viewer.send(1003, { bizCode: 5555, msgId: content, data: { content } });
const heard = (viewer: Viewer, content: string) =>
  eventually(`hears ${content}`, () => viewer.business(5555).find(({ data }) => data?.content === content));
const refusal = (viewer: Viewer, msgId: string) =>
  eventually("a refusal", () => viewer.frames.find(({ code, body }) => code === 1005 && body.msgId === msgId)?.body);

test("a user who is banned: every call is 10014, the IM connection ends, and the gift before the ban settles", async () => {
  const { anchor, fan, roomId } = await scene();
  const viewer = await fan.enter(roomId);
  const held = await holdAccounts([fan.userId]);
  const sent = await fan.send(roomId, anchor.userId, { giftId: 24 });
  const { restrictionId, by } = await ban(fan.userId);
  expect(by).toMatch(/^staff:/);
  await refusedWith(fan, 10014);
  await eventually("closed", () => viewer.closed?.code === 4414);
  expect(await fan.send(roomId, anchor.userId, { giftId: 24 })).toMatchObject({ code: 10014, data: null });
  expect(await fan.post("bank/payProduct", { productId: 10, paySource: 1, payChannel: 3 })).toMatchObject({
    code: 10014,
  });
  await held.release();
  expect(await settledOrders([sent.data.orderId])).toMatchObject([{ status: "succeeded" }]);
  expect((await lift(restrictionId)).code).toBe(200);
  await refusedWith(fan, 200);
  const again = await fan.send(roomId, anchor.userId, { giftId: 24 });
  expect(again.code).toBe(200);
  await (await fan.enter(roomId)).greeted();
  expect(await settledOrders([again.data.orderId])).toMatchObject([{ status: "succeeded" }]);
  fan.leave();
});

test("a payment that was begun before the ban is credited", async () => {
  const fan = await Person.login();
  const { orderId, payUrl } = await fan.ask<{ orderId: string; payUrl: string }>("bank/payProduct", {
    ...{ productId: 10, paySource: 1, payChannel: 3 },
  });
  await ban(fan.userId);
  await refusedWith(fan, 10014);
  await pressCashier(payUrl, "pay");
  const credited = await eventually("credited", async () => {
    const [row] = await rows<{ num: string }>("wallet", "SELECT num FROM t_qiyu_currency_trade WHERE biz_id LIKE ?", [
      `%${orderId}%`,
    ]);
    return row;
  });
  expect(Number(credited.num)).toBe(1000);
});

test("an anchor who is banned: her live room is closed, and she opens none until the ban is lifted", async () => {
  const { anchor, fan, roomId } = await scene();
  const viewer = await fan.enter(roomId);
  await ban(anchor.userId);
  await eventually("the room's end is told", () => viewer.business(5562).length > 0);
  expect((await fan.ask<{ roomId: number }>("living/anchorConfig", { roomId })).roomId).toBe(-1);
  expect((await anchor.post("living/startingLiving", { type: 1 })).code).toBe(10014);
  fan.leave();
});

test("a ban in a room: out of it, no gifts to it; in another room everything works", async () => {
  const [{ anchor, fan, roomId }, other] = [await scene(), await scene()];
  const viewer = await fan.enter(roomId);
  await ban(fan.userId, { roomId });
  await eventually("closed", () => viewer.closed?.code === 4414);
  await eventually(
    "gifts are refused",
    async () => (await fan.send(roomId, anchor.userId, { giftId: 24 })).code === 10014,
    1_000,
  );
  await expect(fan.enter(roomId)).rejects.toThrow("4414");
  const elsewhere = await fan.enter(other.roomId);
  say(elsewhere, "hello elsewhere");
  await heard(elsewhere, "hello elsewhere");
  const gift = await fan.send(other.roomId, other.anchor.userId, { giftId: 24 });
  expect(await settledOrders([gift.data.orderId])).toMatchObject([{ status: "succeeded" }]);
  fan.leave();
});

test("a moderator mutes a viewer and removes what was said: refused with 10013, and gone for who comes back", async () => {
  const { anchor, fan, roomId } = await scene();
  const [moderator, watcher] = [await Person.login(), await Person.login()];
  await anchor.ask("living/addModerator", { userId: moderator.userId });
  expect(await moderator.ask("living/roomRole", { roomId })).toEqual({
    role: "moderator",
    muted: false,
    mutedUntil: null,
  });
  const { list } = await anchor.ask<{ list: { userId: string }[] }>("living/moderators");
  expect(list.map(({ userId }) => userId)).toEqual([moderator.userId]);
  const [speaking, watching] = [await fan.enter(roomId), await watcher.enter(roomId)];
  const before = watching.position();
  say(speaking, "buy cheap coins");
  const { msgId } = await heard(watching, "buy cheap coins");
  const muted = await moderator.ask<{ until: string }>("living/mute", { roomId, userId: fan.userId, minutes: 10 });
  const refused = await eventually("a refusal", async () => {
    const words = `again ${Math.random()}`;
    say(speaking, words);
    return Promise.race([refusal(speaking, words), heard(speaking, words).then(() => undefined)]);
  });
  expect(refused).toMatchObject({ bizCode: 5555, code: 10013, until: muted.until });
  expect((await fan.post("living/mute", { roomId, userId: watcher.userId, minutes: 1 })).code).toBe(100003);
  expect((await moderator.post("living/removeChat", { roomId, msgId })).code).toBe(200);
  await eventually("removed", () => watching.business(5564).some(({ data }) => data?.msgId === msgId));
  watcher.leave();
  const back = await watcher.enter(roomId, before);
  await eventually("the removal is in the replay", () => back.business(5564).length > 0);
  expect(back.business(5555).map(({ data }) => data?.content)).not.toContain("buy cheap coins");
  const listed = await operate<{ list: { by: string }[] }>("restriction/list", { userId: fan.userId, active: 1 });
  expect(listed.data.list).toMatchObject([{ by: moderator.userId }]);
  await moderator.ask("living/unmute", { roomId, userId: fan.userId });
  await eventually("heard", async () => {
    const words = `back ${Math.random()}`;
    say(speaking, words);
    return Promise.race([refusal(speaking, words).then(() => false), heard(speaking, words).then(() => true)]);
  });
  fan.leave();
  watcher.leave();
});
