import { rows } from "../support/books.ts";
import { operate, Person, scene } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { operatorCalls } from "../support/operator-calls.ts";
import { settledOrders } from "../support/outcomes.ts";
import { expectWholeBooksBalanced } from "../support/whole-books.ts";

afterAll(expectWholeBooksBalanced);

interface Affected {
  shortfall: number;
  owing: number;
  anchors: { anchorId: string; coins: number; share: number; state: string }[];
  gifts: { orderId: string }[];
}
interface Trade {
  num: number;
  type: number;
  status: number;
  bizId: string;
  balanceAfter: number;
  orderId?: string;
  debt?: { change: number; after: number; orders: { orderId: string; coins: number }[] };
}

const statement = async (person: Person) => (await person.ask<{ list: Trade[] }>("bank/trades", { limit: 50 })).list;
const incomeOf = (anchor: Person) => anchor.ask<{ income: number; earned: number; heldBack: number }>("bank/income");

/** A fan whose 1000 coins all went to the anchor before her order was refunded. */
async function spentAndRefunded(): Promise<{ anchor: Person; fan: Person; payOrder: string; gifts: string[] }> {
  const { anchor, fan, roomId } = await scene();
  const payOrder = (await statement(fan))[0]?.bizId as string;
  const gifts: string[] = [];
  for (let sent = 0; sent < 2; sent++) gifts.push((await fan.send(roomId, anchor.userId, { giftId: 25 })).data.orderId);
  expect((await settledOrders(gifts)).map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
  expect((await operate("order/refund", { orderId: payOrder, reason: "chargeback" })).code).toBe(200);
  await eventually("the debt", async () => {
    const { currentDebt } = await fan.ask<{ currentDebt: number }>("bank/products", { type: 0 });
    return currentDebt === 1000;
  });
  await eventually("the income", async () => (await incomeOf(anchor)).earned === 500);
  return { anchor, fan, payOrder, gifts };
}

test("an operator sees which gifts a refund's missing coins paid for, holds the anchor's share back and lets it go", async () => {
  const { anchor, payOrder, gifts } = await spentAndRefunded();
  const seen = await operate<Affected>("income/affected", { orderId: payOrder });
  const share = { anchorId: anchor.userId, coins: 1000, share: 500 };
  expect(seen).toMatchObject({
    code: 200,
    data: { shortfall: 1000, owing: 1000, anchors: [{ ...share, state: "open" }] },
  });
  expect(seen.data.gifts.map(({ orderId }) => orderId)).toEqual([...gifts].reverse());

  const order = { orderId: payOrder, reason: "stolen card" };
  const holds = await Promise.all(Array.from({ length: 10 }, () => operate<Affected>("income/hold", order)));
  for (const answer of holds)
    expect(answer).toMatchObject({ code: 200, data: { anchors: [{ ...share, state: "held" }] } });
  expect(await incomeOf(anchor)).toMatchObject({ income: 0, earned: 500, heldBack: 500 });

  const releases = await Promise.all(
    Array.from({ length: 5 }, () => operate("income/release", { ...order, anchorId: anchor.userId })),
  );
  expect(new Set(releases.map(({ code }) => code))).toEqual(new Set([200]));
  expect(await incomeOf(anchor)).toMatchObject({ income: 500, earned: 500, heldBack: 0 });
  expect(await operate("income/hold", order)).toMatchObject({ status: 200, code: 501 });

  // Every call is in the audit of the staff; at the wallet those that it was asked to carry out.
  const calls = await rows<{ route: string; outcome: string; times: string }>(
    "staff",
    `SELECT c.route, o.outcome, COUNT(*) AS times FROM t_staff_audit c JOIN t_staff_audit o ON o.call_id = c.id
     WHERE c.about = ? AND c.route LIKE '%/income/%' GROUP BY c.route, o.outcome ORDER BY c.route, o.outcome`,
    [payOrder],
  );
  expect(calls.map(({ route, outcome, times }) => [route, outcome, Number(times)])).toEqual([
    ["/live/admin/income/affected", "succeeded", 1],
    ["/live/admin/income/hold", "holdState", 1],
    ["/live/admin/income/hold", "succeeded", 10],
    ["/live/admin/income/release", "succeeded", 5],
  ]);
  const audit = await rows<{ action: string; outcome: string }>(
    "wallet",
    `SELECT DISTINCT action, outcome FROM ${operatorCalls} WHERE params LIKE ? ORDER BY action, outcome`,
    [`%${payOrder}%`],
  );
  expect(audit.map(({ action, outcome }) => [action, outcome])).toEqual([
    ["wallet.affectedGifts", "succeeded"],
    ["wallet.holdIncome", "succeeded"],
    ["wallet.releaseHold", "succeeded"],
  ]);
});

test("nobody but an operator holds income back, and only of refunded orders", async () => {
  const { anchor, fan, payOrder } = await spentAndRefunded();
  for (const route of ["income/affected", "income/hold", "income/release"]) {
    const body = { orderId: payOrder, reason: "mine" };
    for (const token of ["", "wrong", anchor.token, fan.token])
      expect(await operate(route, body, token)).toMatchObject({ status: 401, code: 100002 });
  }
  const paid = await Person.login();
  const orderId = await paid.order(6);
  await eventually("the coins", async () => (await paid.balance()) === 300);
  for (const unknown of [orderId, "no-such-order"])
    expect(await operate("income/hold", { orderId: unknown, reason: "?" })).toMatchObject({ status: 200, code: 501 });
  expect(await incomeOf(anchor)).toMatchObject({ income: 500, heldBack: 0 });
});

test("the statement shows what a refund could not take back, and what later recharges paid off", async () => {
  const { fan, payOrder } = await spentAndRefunded();
  const second = await fan.order(6);
  await eventually("a part is paid off", async () => (await statement(fan)).length === 6);
  const third = await fan.order(10);
  await eventually("all is paid off", async () => (await fan.balance()) === 300);
  const list = await statement(fan);
  const debt = (change: number, after: number) => ({
    change,
    after,
    orders: [{ orderId: payOrder, coins: Math.abs(change) }],
  });
  expect(list).toMatchObject([
    { num: -700, type: 2, status: 1, bizId: `debt:${third}`, balanceAfter: 300, orderId: third, debt: debt(-700, 0) },
    { num: 1000, type: 1, status: 1, bizId: third, balanceAfter: 1000, orderId: third },
    { num: -300, type: 2, status: 1, bizId: `debt:${second}`, balanceAfter: 0, orderId: second, debt: debt(-300, 700) },
    { num: 300, type: 1, status: 1, bizId: second, balanceAfter: 300, orderId: second },
    // Nothing was left to take back: the row moves nothing.
    {
      num: -1000,
      type: 2,
      status: 0,
      bizId: `refund:${payOrder}`,
      balanceAfter: 0,
      orderId: payOrder,
      debt: debt(1000, 1000),
    },
    { num: -500, type: 0, status: 1, balanceAfter: 0 },
    { num: -500, type: 0, status: 1, balanceAfter: 500 },
    { num: 1000, type: 1, status: 1, bizId: payOrder, balanceAfter: 1000, orderId: payOrder },
  ]);
  for (const { type, debt: changed } of list) if (type !== 2) expect(changed).toBeUndefined();
  const valid = list.filter(({ status }) => status === 1).reduce((sum, { num }) => sum + num, 0);
  expect(valid).toBe(await fan.balance());
});
