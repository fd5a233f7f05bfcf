import { rows } from "../support/books.ts";
import { type CashierWebhook, deliverWebhook, paidWebhook, sendWebhook } from "../support/cashier-webhooks.ts";
import { operate, Person, pressCashier } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { tradesOfUser } from "../support/outcomes.ts";
import { expectWholeBooksBalanced } from "../support/whole-books.ts";

/** Product 10: 1000 coins for 10000 fen. */
const amount = 10_000;

afterAll(expectWholeBooksBalanced);

const statusOf = async (person: Person, orderId: string) =>
  (await person.ask<{ status: number }>("bank/order", { orderId })).status;

/** Nothing of the user's money may have moved, nor move a little later. */
async function expectNeverCredited(person: Person): Promise<void> {
  // A genuine payment that comes after the others shows that whatever was to be credited has been.
  const orderId = await person.order(6);
  await eventually("the genuine one is credited", async () => (await person.balance()) >= 300);
  expect((await tradesOfUser(person.userId)).map(({ bizId, num }) => [bizId, num])).toEqual([[orderId, 300]]);
}

const outcomesOf = (orderId: string) =>
  rows<{ outcome: string; times: string }>(
    "payment",
    "SELECT outcome, COUNT(*) AS times FROM t_pay_webhook WHERE order_id = ? GROUP BY outcome ORDER BY outcome",
    [orderId],
  ).then((found) => Object.fromEntries(found.map(({ outcome, times }) => [outcome, Number(times)])));

test("a genuine webhook fifty times at once, and the cashier's own, credit the order once", async () => {
  const fan = await Person.login();
  const order = await fan.ask<{ orderId: string; payUrl: string }>("bank/payProduct", {
    ...{ productId: 10, paySource: 1, payChannel: 3 },
  });
  const webhook = paidWebhook(order.orderId, amount);
  const replies = await Promise.all(Array.from({ length: 50 }, () => deliverWebhook(webhook)));
  expect(new Set(replies.map(({ status, result }) => `${status} ${result}`))).toEqual(new Set(["200 SUCCESS"]));
  await fan.orderReaches(order.orderId, 2);
  await eventually("the coins", async () => (await fan.balance()) === 1000);
  expect(await outcomesOf(order.orderId)).toEqual({ applied: 1, repeated: 49 });
  expect(await deliverWebhook(webhook)).toMatchObject({ status: 200, result: "SUCCESS" });

  // The same order paid a second time is money that an operator has to give back, not coins.
  await pressCashier(order.payUrl, "pay");
  await eventually("the cashier's webhook", async () => (await outcomesOf(order.orderId)).parked);
  expect(await deliverWebhook(paidWebhook(order.orderId, amount, { status: "CANCELLED" }))).toMatchObject({
    ...{ status: 200, result: "SUCCESS" },
  });
  expect(await statusOf(fan, order.orderId)).toBe(2);
  expect(await tradesOfUser(fan.userId)).toMatchObject([{ bizId: order.orderId, num: 1000, type: 1, status: 1 }]);
  expect(await fan.balance()).toBe(1000);
});

type Forgery = [what: string, status: number, deliver: (orderId: string) => ReturnType<typeof deliverWebhook>];
const altered = (over: Partial<CashierWebhook>) => (orderId: string) =>
  deliverWebhook(paidWebhook(orderId, amount, over));

test.each<Forgery>([
  ["one fen too little", 400, altered({ amount: amount - 1 })],
  ["too much", 400, altered({ amount: amount * 100 })],
  ["nothing", 400, altered({ amount: 0 })],
  ["a fraction", 400, altered({ amount: 0.5 })],
  ["another currency", 400, altered({ currency: "USD" })],
  ["another merchant", 400, altered({ merchant: "somebody-else" })],
  ["an unknown status", 400, altered({ status: "MAYBE" })],
  [
    "another secret's signature",
    401,
    (orderId) => deliverWebhook(paidWebhook(orderId, amount), { secret: "a-secret-that-is-not-the-cashier's" }),
  ],
  [
    "a body that is not the signed one",
    401,
    (orderId) =>
      deliverWebhook(paidWebhook("another-order", amount), { tampered: JSON.stringify(paidWebhook(orderId, amount)) }),
  ],
  ["a signature of ten minutes ago", 401, (orderId) => deliverWebhook(paidWebhook(orderId, amount), { age: 600 })],
  ["a signature of the future", 401, (orderId) => deliverWebhook(paidWebhook(orderId, amount), { age: -600 })],
  ["no signature", 401, (orderId) => sendWebhook("cashierNotify", JSON.stringify(paidWebhook(orderId, amount)))],
])("a webhook with %s is refused and credits nothing", async (_what, status, deliver) => {
  const fan = await Person.login();
  const orderId = await fan.order(10, null);
  const replies = await Promise.all([deliver(orderId), deliver(orderId)]);
  expect(replies).toMatchObject([
    { status, result: "FAIL" },
    { status, result: "FAIL" },
  ]);
  expect(await statusOf(fan, orderId)).toBe(1);
  await expectNeverCredited(fan);
});

test("a webhook of an unknown order is refused, and a cancelled order is never credited", async () => {
  const fan = await Person.login();
  expect(await deliverWebhook(paidWebhook("no-such-order", amount))).toMatchObject({ status: 404, result: "FAIL" });
  const orderId = await fan.order(10, "cancel");
  await fan.orderReaches(orderId, 3);
  const replies = await Promise.all(Array.from({ length: 10 }, () => deliverWebhook(paidWebhook(orderId, amount))));
  // Genuine money for a closed order is taken note of for an operator: the provider need not call again.
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
  expect(await statusOf(fan, orderId)).toBe(3);
  // The cashier itself sends some of its webhooks twice.
  const outcomes = Object.keys(await outcomesOf(orderId)).filter((outcome) => outcome !== "repeated");
  expect(outcomes.sort()).toEqual(["applied", "parked"]);
  await expectNeverCredited(fan);
});

test("paid and cancelled in a race, an order ends in one of the two, and is credited only where it was paid", async () => {
  const fan = await Person.login();
  const orderIds = await Promise.all(Array.from({ length: 8 }, () => fan.order(10, null)));
  await Promise.all(
    orderIds.flatMap((orderId, at) => {
      const paid = paidWebhook(orderId, amount);
      const cancelled = paidWebhook(orderId, amount, { status: "CANCELLED" });
      return at % 2 === 0
        ? [deliverWebhook(paid), deliverWebhook(cancelled)]
        : [deliverWebhook(cancelled), deliverWebhook(paid)];
    }),
  );
  const states = await Promise.all(orderIds.map((orderId) => statusOf(fan, orderId)));
  expect(states.filter((status) => status !== 2 && status !== 3)).toEqual([]);
  const paid = orderIds.filter((_, at) => states[at] === 2);
  await eventually("the paid are credited", async () => (await fan.balance()) === 1000 * paid.length);
  expect((await tradesOfUser(fan.userId)).map(({ bizId }) => bizId).sort()).toEqual(paid.sort());
});

test("one payment pays one order: its transaction under another order's webhook is refused", async () => {
  const fan = await Person.login();
  const [one, two] = await Promise.all([fan.order(10, null), fan.order(10, null)]);
  const transactionId = `tx-of-${one}`;
  expect((await deliverWebhook(paidWebhook(one, amount, { transactionId }))).status).toBe(200);
  expect(await deliverWebhook(paidWebhook(two, amount, { transactionId }))).toMatchObject({
    status: 409,
    result: "FAIL",
  });
  await eventually("the coins", async () => (await fan.balance()) === 1000);
  expect(await statusOf(fan, two)).toBe(1);
  expect(await tradesOfUser(fan.userId)).toHaveLength(1);
});

test("an order that is refunded stays refunded when its webhook comes again", async () => {
  const fan = await Person.login();
  const orderId = await fan.order(10, null);
  const webhook = paidWebhook(orderId, amount);
  await deliverWebhook(webhook);
  await eventually("the coins", async () => (await fan.balance()) === 1000);
  expect((await operate("order/refund", { orderId, reason: "asked for" })).code).toBe(200);
  expect((await deliverWebhook(webhook)).status).toBe(200);
  await eventually("the coins are gone", async () => (await fan.balance()) === 0);
  expect(await statusOf(fan, orderId)).toBe(5);
  expect(await tradesOfUser(fan.userId)).toHaveLength(2);
});

test("the paths of providers that are not configured are not there, as old clients of the sandbox find out", async () => {
  const fan = await Person.login();
  const orderId = await fan.order(10, null);
  const param = encodeURIComponent(JSON.stringify({ orderId, userId: fan.userId, bizCode: 10001 }));
  for (const path of [`wxNotify?param=${param}`, "wxNotify", `aliNotify?param=${param}`, "aliNotify"])
    expect(await sendWebhook(path, JSON.stringify({ orderId }))).toMatchObject({ status: 404 });
  for (const payChannel of [0, 1, 2]) {
    const answer = await fan.post("bank/payProduct", { productId: 10, paySource: 1, payChannel });
    expect(answer).toMatchObject({ status: 200, code: 501 });
  }
  for (const wrong of [{ productId: 999 }, { paySource: 3 }, { payChannel: 4 }]) {
    const order = { productId: 10, paySource: 1, payChannel: 3, ...wrong };
    expect(await fan.post("bank/payProduct", order)).toMatchObject({ status: 400, code: 100001 });
  }
  expect(await statusOf(fan, orderId)).toBe(1);
  await expectNeverCredited(fan);
});
