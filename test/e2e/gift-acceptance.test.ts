import { randomInt } from "node:crypto";
import { rows } from "../support/books.ts";
import { operate, Person, requestId, scene } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { holdAccounts } from "../support/held-accounts.ts";
import { recordsOf, settledOrders, tradesOf, tradesOfUser } from "../support/outcomes.ts";
import { expectWholeBooksBalanced } from "../support/whole-books.ts";

afterAll(expectWholeBooksBalanced);

const wallOf = (size: number) => Array.from({ length: size });

/** What the ledger has of a user's gifts, rejected ones included. */
const giftTrades = async ({ userId }: Person) => (await tradesOfUser(userId)).filter(({ type }) => type === 0);

describe("a request id", () => {
  test("pressed thirty times at once is one order and one charge, then and ever after", async () => {
    const { anchor, fan, roomId } = await scene();
    const id = requestId();
    const press = () => fan.send(roomId, anchor.userId, { requestId: id, count: 2 });
    const answers = await Promise.all(wallOf(30).map(press));
    const orderIds = new Set(answers.map(({ data }) => data.orderId));
    expect(answers.map(({ status, code }) => [status, code])).toEqual(answers.map(() => [200, 200]));
    expect(orderIds.size).toBe(1);
    const [orderId] = [...orderIds] as [string];
    expect(await settledOrders([orderId])).toMatchObject([{ status: "succeeded", count: 2 }]);
    expect(await fan.balance()).toBe(820);
    expect((await press()).data.orderId).toBe(orderId);
    await anchor.ask("living/closeLiving", { roomId });
    // Also when the room is closed: the first answer stands.
    expect((await press()).data.orderId).toBe(orderId);
    expect(await giftTrades(fan)).toHaveLength(1);
    expect(await fan.balance()).toBe(820);
  });

  test.each([
    ["another count", { count: 3 }],
    ["another gift", { giftId: 23 }],
    ["another type", { type: 1 }],
    ["another room", { roomId: 1 }],
    ["another receiver", { receiverId: "77" }],
  ])("used again with %s is refused, before and after the settlement", async (_what, change) => {
    const { anchor, fan, roomId } = await scene();
    const id = requestId();
    const { data } = await fan.send(roomId, anchor.userId, { requestId: id });
    const again = () => fan.send(roomId, anchor.userId, { requestId: id, ...change });
    expect(await again()).toMatchObject({ status: 200, code: 10011, data: null });
    await settledOrders([data.orderId]);
    expect(await again()).toMatchObject({ status: 200, code: 10011 });
    expect(await giftTrades(fan)).toHaveLength(1);
    expect(await fan.balance()).toBe(910);
  });

  test("sent with two contents in a race stands for the one that was first, and charges that one once", async () => {
    const { anchor, fan, roomId } = await scene();
    const id = requestId();
    const answers = await Promise.all(
      wallOf(20).map(async (_, at) => {
        const count = 1 + (at % 2);
        return { count, answer: await fan.send(roomId, anchor.userId, { requestId: id, count }) };
      }),
    );
    const accepted = answers.filter(({ answer }) => answer.code === 200);
    expect(new Set(answers.map(({ answer }) => answer.code))).toEqual(new Set([200, 10011]));
    expect(new Set(accepted.map(({ answer }) => answer.data.orderId)).size).toBe(1);
    expect(new Set(accepted.map(({ count }) => count)).size).toBe(1);
    expect(accepted).toHaveLength(10);
    const [first] = accepted;
    const outcomes = await settledOrders([first?.answer.data.orderId as string]);
    expect(outcomes).toMatchObject([{ status: "succeeded", count: first?.count }]);
    expect(await fan.balance()).toBe(1000 - 90 * (first?.count as number));
  });

  test("belongs to its user: another user's same id is another order", async () => {
    const { anchor, fan, roomId } = await scene();
    const other = await Person.login();
    await other.recharge();
    const id = requestId();
    const [one, two] = await Promise.all([
      fan.send(roomId, anchor.userId, { requestId: id }),
      other.send(roomId, anchor.userId, { requestId: id, count: 2 }),
    ]);
    expect([one.code, two.code]).toEqual([200, 200]);
    expect(one.data.orderId).not.toBe(two.data.orderId);
    await settledOrders([one.data.orderId, two.data.orderId]);
    expect([await fan.balance(), await other.balance()]).toEqual([910, 820]);
  });

  test("left out makes every press a gift of its own", async () => {
    const { anchor, fan, roomId } = await scene();
    const answers = await Promise.all(wallOf(5).map(() => fan.send(roomId, anchor.userId)));
    const orderIds = answers.map(({ data }) => data.orderId);
    expect(new Set(orderIds).size).toBe(5);
    await settledOrders(orderIds);
    expect(await fan.balance()).toBe(1000 - 5 * 90);
  });
});

describe("a gift is refused at once, and leaves no trace,", () => {
  test("when the balance is known to be short", async () => {
    const { anchor, fan, roomId } = await scene();
    const answer = await fan.send(roomId, anchor.userId, { giftId: 25, count: 3 });
    expect(answer).toMatchObject({ status: 200, code: 10010, msg: "余额不足", data: null });
    expect(await giftTrades(fan)).toEqual([]);
    const poor = await Person.login();
    expect((await poor.send(roomId, anchor.userId, { giftId: 24 })).code).toBe(10010);
    expect((await fan.send(roomId, anchor.userId, { giftId: 25, count: 9_999 })).code).toBe(10010);
    expect(await fan.balance()).toBe(1000);
  });

  test("when it is for oneself, for somebody who is not the anchor there, in no live room, or no gift on the shelf", async () => {
    const { anchor, fan, roomId } = await scene();
    await anchor.recharge();
    const other = await scene();
    expect(await anchor.send(roomId, anchor.userId)).toMatchObject({ status: 200, code: 10008 });
    expect((await fan.send(roomId, fan.userId)).code).toBe(10008);
    expect((await fan.send(roomId, other.anchor.userId)).code).toBe(10009);
    expect((await fan.send(roomId, "12345")).code).toBe(10009);
    expect((await fan.send(other.roomId, anchor.userId)).code).toBe(10009);
    expect((await fan.send(999_999_999, anchor.userId)).code).toBe(10009);
    expect((await fan.send(roomId, anchor.userId, { giftId: 999_999 })).code).toBe(10005);
    const giftId = randomInt(700_000, 800_000);
    await operate("gift/create", { giftId, giftName: "soon gone", price: 5 });
    await operate("gift/offShelf", { giftId });
    await eventually("the gift is gone", async () => {
      const listed = await fan.ask<{ giftId: number }[]>("gift/listGift");
      return !listed.some((gift) => gift.giftId === giftId);
    });
    expect((await fan.send(roomId, anchor.userId, { giftId })).code).toBe(10005);
    expect(await giftTrades(fan)).toEqual([]);
    expect(await giftTrades(anchor)).toEqual([]);
    expect(await rows("gift", "SELECT id FROM t_gift_record WHERE user_id = ?", [fan.userId])).toEqual([]);
    expect([await fan.balance(), await anchor.balance()]).toEqual([1000, 1000]);
  });
});

test("gifts that are accepted while the coins run out end failed: no money moves and the sender is told each time", async () => {
  const { anchor, fan, roomId } = await scene();
  const fanSees = await fan.enter(roomId);
  // Nothing is settled, and no balance known to be short, before the last of them is accepted.
  const held = await holdAccounts([fan.userId]);
  const answers = await Promise.all(wallOf(24).map(() => fan.send(roomId, anchor.userId, { giftId: 25 }))).finally(() =>
    held.release(),
  );
  expect(answers.map(({ code }) => code).filter((code) => code !== 200 && code !== 10010)).toEqual([]);
  const accepted = answers.filter(({ code }) => code === 200).map(({ data }) => data.orderId);
  const outcomes = await settledOrders(accepted);
  const failed = outcomes.filter(({ status }) => status === "failed");
  expect(outcomes.length - failed.length).toBe(2);
  expect(failed.length).toBeGreaterThan(0);
  expect(new Set(failed.map(({ reason }) => reason))).toEqual(new Set(["balanceShort"]));
  expect(await fan.balance()).toBe(0);
  expect(await fan.settled(failed[0]?.orderId as string)).toMatchObject({ status: "failed", reasonCode: 10010 });
  const told = await eventually("every failure is told", () => {
    const notices = fanSees.business(5557).map(({ data }) => data as { orderId: string; code: number });
    return new Set(notices.map(({ orderId }) => orderId)).size === failed.length ? notices : undefined;
  });
  // A notice whose ack comes late is sent again.
  expect(new Set(told.map(({ orderId }) => orderId))).toEqual(new Set(failed.map(({ orderId }) => orderId)));
  expect(new Set(told.map(({ code }) => code))).toEqual(new Set([10010]));
  // None of the failed is shown as an effect.
  expect(failed.filter(({ orderId }) => fanSees.countsByOrder().has(orderId))).toEqual([]);
  await eventually("the anchor has her share", async () => {
    return (await anchor.ask<{ income: number }>("bank/income")).income === 500;
  });
  expect(await tradesOf(accepted)).toHaveLength(accepted.length);
  expect(await recordsOf(accepted)).toHaveLength(accepted.length);
  fan.leave();
});
