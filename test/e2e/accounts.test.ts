import { rows } from "../support/books.ts";
import { operate, Person, scene } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { holdAccounts } from "../support/held-accounts.ts";
import { settledOrders, tradesOfUser } from "../support/outcomes.ts";
import { expectWholeBooksBalanced } from "../support/whole-books.ts";

afterAll(expectWholeBooksBalanced);

const account = async (userId: string) => {
  const [row] = await rows<{ current_balance: string; debt: string; total_charged: string; status: number }>(
    "wallet",
    "SELECT current_balance, debt, total_charged, status FROM t_qiyu_currency_account WHERE user_id = ?",
    [userId],
  );
  return { balance: Number(row?.current_balance), debt: Number(row?.debt), status: Number(row?.status) };
};

/** Over a few requests, since they are answered by more nodes than one. */
async function refusedTenTimes(fan: Person, roomId: number, receiverId: string): Promise<boolean> {
  const send = () => fan.send(roomId, receiverId, { giftId: 24 });
  const answers = await Promise.all(Array.from({ length: 10 }, send));
  expect(answers.filter(({ code }) => code !== 200 && code !== 10012)).toEqual([]);
  return answers.every(({ code }) => code === 10012);
}

describe("a frozen account", () => {
  test("sends nothing any more: refused with 10012 until it is unfrozen", async () => {
    const { anchor, fan, roomId } = await scene();
    const before = await fan.send(roomId, anchor.userId, { giftId: 24 });
    expect(await settledOrders([before.data.orderId])).toMatchObject([{ status: "succeeded" }]);
    const frozen = await operate("account/freeze", { userId: fan.userId, reason: "looks like fraud" });
    expect(frozen).toMatchObject({ status: 200, code: 200, data: { userId: fan.userId, status: 2 } });
    await eventually("refused on every node", () => refusedTenTimes(fan, roomId, anchor.userId), 3_000);
    const refused = await fan.send(roomId, anchor.userId, { giftId: 24 });
    expect(refused).toMatchObject({ status: 200, code: 10012, msg: "账户不可用", data: null });
    const thawed = await operate("account/unfreeze", { userId: fan.userId, reason: "cleared" });
    expect(thawed).toMatchObject({ data: { status: 1 } });
    const sent = await fan.send(roomId, anchor.userId, { giftId: 24 });
    expect(sent.code).toBe(200);
    expect(await settledOrders([sent.data.orderId])).toMatchObject([{ status: "succeeded" }]);
  });

  test("pays for every gift that was accepted before, whenever that is settled, and for no other", async () => {
    const { anchor, fan, roomId } = await scene();
    const sending = Array.from({ length: 150 }, () => fan.send(roomId, anchor.userId, { giftId: 24 }));
    await Promise.race(sending);
    expect((await operate("account/freeze", { userId: fan.userId, reason: "in full flight" })).code).toBe(200);
    const answers = await Promise.all(sending);
    expect(answers.filter(({ code }) => code !== 200 && code !== 10012)).toEqual([]);
    const accepted = answers.filter(({ code }) => code === 200).map(({ data }) => data.orderId);
    const outcomes = await settledOrders(accepted);
    expect(outcomes.filter(({ status }) => status !== "succeeded")).toEqual([]);
    const spent = (await tradesOfUser(fan.userId)).filter(({ type }) => type === 0);
    expect(spent).toHaveLength(accepted.length);
    expect(await fan.balance()).toBe(1000 - accepted.length);
  });

  test("is sent nothing any more, and what was accepted for it before still settles", async () => {
    const { anchor, fan, roomId } = await scene();
    const held = await holdAccounts([fan.userId]);
    const sent = await fan.send(roomId, anchor.userId, { giftId: 24 });
    await operate("account/freeze", { userId: anchor.userId, reason: "checked" });
    await held.release();
    expect(await settledOrders([sent.data.orderId])).toMatchObject([{ status: "succeeded" }]);
    // Refused for the account, or for the room that was closed with it.
    const refused = await eventually("refused", async () => {
      const answer = await fan.send(roomId, anchor.userId, { giftId: 24 });
      return answer.code === 200 ? undefined : answer;
    });
    expect([10009, 10012]).toContain(refused.code);
    expect(await anchor.balance()).toBe(0);
  });

  test("cannot go live, and its live room is closed, everybody in it told, until it is unfrozen", async () => {
    const { anchor, fan, roomId } = await scene();
    const fanSees = await fan.enter(roomId);
    await operate("account/freeze", { userId: anchor.userId, reason: "complaints" });
    await eventually("the room's end is told", () => fanSees.business(5562).length > 0);
    const config = await fan.ask<{ roomId: number }>("living/anchorConfig", { roomId });
    expect(config.roomId).toBe(-1);
    const other = await Person.login();
    await operate("account/freeze", { userId: other.userId, reason: "complaints" });
    const refused = await other.post("living/startingLiving", { type: 1 });
    expect(refused).toMatchObject({ status: 200, code: 10012, data: null });
    // The refusal counted as a start, so who goes live after an unfreeze here is another.
    const cleared = await Person.login();
    await operate("account/freeze", { userId: cleared.userId, reason: "complaints" });
    await operate("account/unfreeze", { userId: cleared.userId, reason: "cleared" });
    expect(await cleared.openRoom()).toBeGreaterThan(roomId);
    fan.leave();
  });

  test("keeps what is paid into it", async () => {
    const fan = await Person.login();
    await operate("account/freeze", { userId: fan.userId, reason: "checked" });
    await fan.recharge(6);
    expect(await account(fan.userId)).toMatchObject({ balance: 300, status: 2 });
  });

  test("frozen and unfrozen many times at once is in one of the two states, and every change is told once", async () => {
    const fan = await Person.login();
    await fan.recharge(6);
    const { userId } = fan;
    const calls = Array.from({ length: 12 }, (_, at) =>
      operate(at % 2 === 0 ? "account/freeze" : "account/unfreeze", { userId, reason: `turn ${at}` }),
    );
    const codes = (await Promise.all(calls)).map(({ status, code }) => [status, code]);
    expect(codes).toEqual(codes.map(() => [200, 200]));
    const told = await rows<{ subject: string }>(
      "wallet",
      "SELECT subject FROM t_outbox WHERE order_key = ? AND subject LIKE 'event.account.%' ORDER BY id",
      [`user:${userId}`],
    );
    const expected = told.map((_, at) => `event.account.${at % 2 === 0 ? "frozen" : "unfrozen"}`);
    expect(told.map(({ subject }) => subject)).toEqual(expected);
    expect((await account(userId)).status).toBe(told.length % 2 === 0 ? 1 : 2);
  });
});

describe("a refund", () => {
  test("takes the coins back once, however often it is asked for", async () => {
    const fan = await Person.login();
    const orderId = await fan.order(10);
    await fan.orderReaches(orderId, 2);
    await eventually("the coins", async () => (await fan.balance()) === 1000);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => operate("order/refund", { orderId, reason: "asked for" })),
    );
    // Who asks while it is under way gets its outcome.
    const refunded = answers.filter(({ code }) => code === 200);
    expect(refunded.length).toBeGreaterThan(0);
    expect(answers.filter(({ code }) => code === 501)).toHaveLength(8 - refunded.length);
    for (const { data } of refunded) expect(data).toMatchObject({ state: "done", orderId, status: 5 });
    await eventually("the coins are gone", async () => (await fan.balance()) === 0);
    // Who asks again soon may not have had the answer: it is the same refund.
    const again = await operate("order/refund", { orderId, reason: "again" });
    expect(again).toMatchObject({ code: 200, data: { state: "done", orderId, status: 5 } });
    expect(await tradesOfUser(fan.userId)).toMatchObject([
      { bizId: orderId, num: 1000, type: 1, status: 1 },
      { bizId: `refund:${orderId}`, num: -1000, type: 2, status: 1 },
    ]);
    expect(await account(fan.userId)).toMatchObject({ balance: 0, debt: 0 });
  });

  test("of coins that are spent leaves a debt, never a balance below zero; the next recharge pays it off", async () => {
    const { anchor, fan, roomId } = await scene();
    const [recharge] = await tradesOfUser(fan.userId);
    const sent = await fan.send(roomId, anchor.userId, { giftId: 25 });
    expect(await settledOrders([sent.data.orderId])).toMatchObject([{ status: "succeeded" }]);
    expect((await operate("order/refund", { orderId: recharge?.bizId, reason: "chargeback" })).code).toBe(200);
    await eventually("the debt", async () => (await account(fan.userId)).debt === 500);
    expect(await account(fan.userId)).toMatchObject({ balance: 0, debt: 500 });
    const poor = await fan.send(roomId, anchor.userId, { giftId: 24 });
    // A node's cache may have the coins a little longer; the settlement never does.
    if (poor.code === 200) expect(await settledOrders([poor.data.orderId])).toMatchObject([{ status: "failed" }]);
    else expect(poor.code).toBe(10010);
    await fan.order(6);
    await eventually("300 of it are paid", async () => (await account(fan.userId)).debt === 200);
    expect(await account(fan.userId)).toMatchObject({ balance: 0, debt: 200 });
    await fan.recharge(10);
    expect(await account(fan.userId)).toMatchObject({ balance: 800, debt: 0 });
    // What the anchor earned stays hers.
    await eventually("the anchor's 250", async () => {
      return (await anchor.ask<{ income: number }>("bank/income")).income === 250;
    });
  });

  test("is for paid orders only", async () => {
    const fan = await Person.login();
    const [open, cancelled] = [await fan.order(6, null), await fan.order(6, "cancel")];
    await fan.orderReaches(cancelled, 3);
    for (const orderId of [open, cancelled, "no-such-order"])
      expect(await operate("order/refund", { orderId, reason: "?" })).toMatchObject({ status: 200, code: 501 });
    expect(await fan.balance()).toBe(0);
    expect(await tradesOfUser(fan.userId)).toEqual([]);
  });

  test("races gifts that spend the same coins, and the books hold", async () => {
    const { anchor, fan, roomId } = await scene();
    const [recharge] = await tradesOfUser(fan.userId);
    const [answers] = await Promise.all([
      Promise.all(Array.from({ length: 20 }, () => fan.send(roomId, anchor.userId, { giftId: 22 }))),
      operate("order/refund", { orderId: recharge?.bizId, reason: "race" }),
    ]);
    const accepted = answers.filter(({ code }) => code === 200).map(({ data }) => data.orderId);
    const sent = (await settledOrders(accepted)).filter(({ status }) => status === "succeeded").length;
    await eventually("the refund is in the books", async () => {
      return (await account(fan.userId)).debt === 90 * sent && (await fan.balance()) === 0;
    });
  });
});
