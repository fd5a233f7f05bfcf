import type { RawNotice } from "../../../services/payment/payment.contract.ts";
import { insist } from "../../support/providers/simulated-server.ts";
import { eventually } from "../../support/system.ts";
import { messagesOf, noticesOf, orderRow } from "./desk.ts";
import {
  coinsOf,
  deliver,
  expectOrdersCredited,
  openProviderDesk,
  type PlacedOrder,
  type ProviderDesk,
  place,
  statusOf,
} from "./provider-desk.ts";

let desk: ProviderDesk;

beforeAll(async () => {
  desk = await openProviderDesk();
});
afterAll(async () => {
  await expectOrdersCredited();
  await desk.stop();
});
afterEach(() => {
  for (const payment of desk.payments) payment.steps = {};
  desk.wechat.server.down = false;
  desk.alipay.server.down = false;
});

type Channel = "wechat" | "alipay";
const channels: Channel[] = ["wechat", "alipay"];

interface Change {
  age?: number;
  content?: Record<string, never>;
  foreignKey?: boolean;
  tamper?: (body: string) => string;
}

/** A call of the provider that tells of the order's payment; every one is signed anew. */
function paid(channel: Channel, { tradeNo }: PlacedOrder, change: Change = {}): RawNotice {
  return channel === "wechat" ? desk.wechat.paidNotice(tradeNo, change) : desk.alipay.notice(tradeNo, change);
}

async function placePaid(channel: Channel): Promise<PlacedOrder> {
  const order = await place(desk, channel);
  expect(desk[channel].pay(order.tradeNo)).toBe(true);
  return order;
}

const succeeded = { wechat: { httpStatus: 200, body: "" }, alipay: { httpStatus: 200, body: "success" } };
const outcomes = async ({ orderId }: PlacedOrder) =>
  (await noticesOf(desk.payments[0], orderId)).map(({ outcome }) => outcome).sort();
const expectCoins = (order: PlacedOrder, coins: number) =>
  eventually(`${coins} coins`, async () => (await coinsOf(desk, order)) === coins);

describe("an order", () => {
  test("of WeChat Pay is made there, signed, and paid at its code_url", async () => {
    const order = await place(desk, "wechat");
    expect(order.payUrl).toMatch(/^weixin:\/\/wxpay\/bizpayurl\?pr=/);
    expect(desk.wechat.trade(order.tradeNo)).toMatchObject({ total: 3_000, state: "NOTPAY" });
    const made = desk.wechat.server.calls.at(-1);
    expect(JSON.parse(made?.body ?? "")).toMatchObject({
      notify_url: "http://gateway.example/live/bank/payNotify/wxNotify",
      out_trade_no: order.orderId.replaceAll("-", ""),
    });
    expect(await statusOf(desk, order)).toBe(1);
  });

  test("of Alipay is a signed page, with the amount in yuan", async () => {
    const order = await place(desk, "alipay");
    expect(desk.alipay.trade(order.tradeNo)).toMatchObject({ total: "30.00", status: "WAIT_BUYER_PAY" });
    expect(new URL(order.payUrl).searchParams.get("notify_url")).toBe(
      "http://gateway.example/live/bank/payNotify/aliNotify",
    );
    expect(await statusOf(desk, order)).toBe(1);
  });

  test.each([true, 500, 429] as const)("fails as unavailable while WeChat Pay is down (%s)", async (down) => {
    desk.wechat.server.down = down;
    await expect(place(desk, "wechat")).rejects.toMatchObject({ type: "unavailable" });
  });
});

describe.each(channels)("a genuine notice of %s", (channel) => {
  test("pays the order and credits it", async () => {
    const order = await placePaid(channel);
    expect(await deliver(desk, channel, paid(channel, order))).toMatchObject(succeeded[channel]);
    expect(await statusOf(desk, order)).toBe(2);
    await expectCoins(order, 300);
    const [notice] = await noticesOf(desk.payments[0], order.orderId);
    expect(notice?.body).not.toMatch(/159\*+5620|ciphertext":"[A-Za-z0-9]|sign=[A-Za-z0-9]/);
  });

  test("that is repeated a second later and replayed as it was is answered with success and credited once", async () => {
    const order = await placePaid(channel);
    const first = paid(channel, order);
    await deliver(desk, channel, first);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await deliver(desk, channel, paid(channel, order))).toMatchObject(succeeded[channel]);
    expect(await deliver(desk, channel, first)).toMatchObject(succeeded[channel]);
    expect(await outcomes(order)).toEqual(["applied", "repeated", "repeated"]);
    await expectCoins(order, 300);
  });

  test("200 times at the same instant, on two nodes, is credited once", async () => {
    const order = await placePaid(channel);
    const notice = paid(channel, order);
    const answers = await Promise.all(Array.from({ length: 200 }, () => deliver(desk, channel, notice)));
    for (const answer of answers) expect(answer).toMatchObject(succeeded[channel]);
    expect(await outcomes(order)).toEqual(["applied", ...Array(199).fill("repeated")]);
    expect(await messagesOf(desk.payments[0], order.orderId)).toEqual(["event.payment.paid", "pay.recharge"]);
    await expectCoins(order, 300);
  });

  test("is called again by the provider's schedule until the service is back, and loses nothing", async () => {
    const order = await placePaid(channel);
    let failures = 3;
    const die = () => {
      if (failures-- > 0) throw new Error("the node died");
    };
    for (const payment of desk.payments) payment.steps = { beforeCommit: die };
    const made = await insist(channel, () =>
      deliver(desk, channel, paid(channel, order)).then(
        ({ httpStatus }) => httpStatus === 200,
        () => false,
      ),
    );
    expect(made).toBe(4);
    await expectCoins(order, 300);
  });

  test("that comes before the order's own answer leaves it paid", async () => {
    if (channel === "alipay") {
      // The page is signed here and answered by nobody: the earliest notice meets an order that is `waiting` still.
      const order = await placePaid(channel);
      await desk.payments[0].mysql.run("UPDATE t_pay_order SET status = 0 WHERE order_id = ?", [order.orderId]);
      expect(await deliver(desk, channel, paid(channel, order))).toMatchObject(succeeded[channel]);
      return expectCoins(order, 300);
    }
    desk.wechat.beforeOrderAnswer = async (tradeNo) => {
      desk.wechat.beforeOrderAnswer = async () => {};
      desk.wechat.pay(tradeNo);
      expect(await deliver(desk, "wechat", desk.wechat.paidNotice(tradeNo))).toMatchObject(succeeded.wechat);
    };
    const order = await place(desk, "wechat");
    expect(await statusOf(desk, order)).toBe(2);
    await expectCoins(order, 300);
  });
});

const wechatOnly: [what: string, status: number, make: (order: PlacedOrder) => RawNotice][] = [
  ["of another amount", 400, ({ tradeNo }) => wechatSays(tradeNo, { amount: { total: 1, currency: "CNY" } })],
  ["for another merchant", 400, ({ tradeNo }) => wechatSays(tradeNo, { mchid: "1900000002" })],
  ["for another app", 400, ({ tradeNo }) => wechatSays(tradeNo, { appid: "wx2" })],
  ["in another currency", 400, ({ tradeNo }) => wechatSays(tradeNo, { amount: { total: 3_000, currency: "USD" } })],
  ["for an unknown order", 404, ({ tradeNo }) => wechatSays(tradeNo, { out_trade_no: "nosuchorder" })],
  ["with a stale timestamp", 401, ({ tradeNo }) => desk.wechat.paidNotice(tradeNo, { age: 301 })],
  ["with a timestamp of the future", 401, ({ tradeNo }) => desk.wechat.paidNotice(tradeNo, { age: -302 })],
  ["signed by another key", 401, ({ tradeNo }) => desk.wechat.paidNotice(tradeNo, { foreignKey: true })],
  ["of another serial", 401, ({ tradeNo }) => desk.wechat.paidNotice(tradeNo, { serial: "OTHER" })],
  ["sealed with another key", 401, ({ tradeNo }) => desk.wechat.paidNotice(tradeNo, { apiV3Key: "k".repeat(32) })],
  [
    "whose body was changed",
    401,
    ({ tradeNo }) => desk.wechat.paidNotice(tradeNo, { tamper: (body) => body.replace("TRANSACTION", "TRANSACTIOM") }),
  ],
  ["without headers", 401, ({ tradeNo }) => ({ ...desk.wechat.paidNotice(tradeNo), headers: {} })],
];
const wechatSays = (tradeNo: string, content: Record<string, unknown>) => desk.wechat.paidNotice(tradeNo, { content });

const alipayOnly: typeof wechatOnly = [
  ["of another amount", 400, ({ tradeNo }) => alipaySays(tradeNo, { total_amount: "0.01" })],
  ["of an amount that is no number of fen", 400, ({ tradeNo }) => alipaySays(tradeNo, { total_amount: "30.001" })],
  ["for another app", 400, ({ tradeNo }) => alipaySays(tradeNo, { app_id: "2021000000000002" })],
  ["for another seller", 400, ({ tradeNo }) => alipaySays(tradeNo, { seller_id: "2088000000000002" })],
  ["for an unknown order", 404, ({ tradeNo }) => alipaySays(tradeNo, { out_trade_no: "nosuchorder" })],
  ["with a stale time", 401, ({ tradeNo }) => desk.alipay.notice(tradeNo, { age: 27 * 3_600 })],
  ["signed by another key", 401, ({ tradeNo }) => desk.alipay.notice(tradeNo, { foreignKey: true })],
  [
    "whose body was changed",
    401,
    ({ tradeNo }) =>
      desk.alipay.notice(tradeNo, { tamper: (body) => body.replace("total_amount=30.00", "total_amount=3.00") }),
  ],
  [
    "with a field twice",
    400,
    ({ tradeNo }) => desk.alipay.notice(tradeNo, { tamper: (body) => `${body}&total_amount=30.00` }),
  ],
  ["unsigned", 401, ({ tradeNo }) => ({ ...desk.alipay.notice(tradeNo), body: `out_trade_no=${tradeNo}` })],
];
const alipaySays = (tradeNo: string, content: Record<string, string>) => desk.alipay.notice(tradeNo, { content });

describe.each([
  ["wechat", wechatOnly, /^\{"code":"FAIL","message":"\w+"\}$/],
  ["alipay", alipayOnly, /^failure$/],
] as const)("a notice of %s that is not believed changes nothing and is recorded", (channel, cases, format) => {
  test.each(cases)("%s", async (_what, status, make) => {
    const order = await placePaid(channel);
    const refusals = async () => {
      const [row] = await desk.payments[0].mysql.query<{ n: string }>(
        "SELECT COUNT(*) AS n FROM t_pay_notice WHERE outcome = 'refused'",
      );
      return Number(row?.n);
    };
    const before = await refusals();
    const answer = await deliver(desk, channel, make(order));
    expect(answer).toMatchObject({ httpStatus: status, body: expect.stringMatching(format) });
    expect(await statusOf(desk, order)).toBe(1);
    expect(await messagesOf(desk.payments[0], order.orderId)).toEqual([]);
    expect(await refusals()).toBe(before + 1);
  });
});

describe("a refund at the provider", () => {
  test("of a credited order takes its coins back, once", async () => {
    const order = await placePaid("wechat");
    await deliver(desk, "wechat", paid("wechat", order));
    await expectCoins(order, 300);
    for (let time = 0; time < 3; time++)
      expect(await deliver(desk, "wechat", desk.wechat.refundNotice(order.tradeNo))).toMatchObject(succeeded.wechat);
    expect(await statusOf(desk, order)).toBe(5);
    await expectCoins(order, 0);
    expect(await outcomes(order)).toEqual(["applied", "applied", "repeated", "repeated"]);
  });

  test("of Alipay does the same", async () => {
    const order = await placePaid("alipay");
    await deliver(desk, "alipay", paid("alipay", order));
    await expectCoins(order, 300);
    Object.assign(desk.alipay.trade(order.tradeNo), { refunded: "30.00", status: "TRADE_CLOSED" });
    for (let time = 0; time < 2; time++)
      expect(await deliver(desk, "alipay", desk.alipay.notice(order.tradeNo))).toMatchObject(succeeded.alipay);
    expect(await statusOf(desk, order)).toBe(5);
    await expectCoins(order, 0);
  });

  test("that is heard of before the payment credits nothing, whatever comes after it", async () => {
    const order = await placePaid("wechat");
    expect(await deliver(desk, "wechat", desk.wechat.refundNotice(order.tradeNo))).toMatchObject(succeeded.wechat);
    expect(await deliver(desk, "wechat", paid("wechat", order))).toMatchObject(succeeded.wechat);
    expect(await statusOf(desk, order)).toBe(5);
    expect(await messagesOf(desk.payments[0], order.orderId)).toEqual(["event.payment.paid", "event.payment.refunded"]);
    expect(await outcomes(order)).toEqual(["applied", "repeated"]);
  });

  test("of a part takes no coins and waits for an operator", async () => {
    const order = await placePaid("wechat");
    await deliver(desk, "wechat", paid("wechat", order));
    const content = { amount: { total: 3_000, refund: 100, payer_total: 3_000, payer_refund: 100 } };
    await deliver(desk, "wechat", desk.wechat.refundNotice(order.tradeNo, { content }));
    expect(await statusOf(desk, order)).toBe(2);
    expect((await orderRow(desk.payments[0], order.orderId))?.parked).toBe("refundPartial");
    await expectCoins(order, 300);
  });

  test("of a second payment leaves the first one alone", async () => {
    const order = await placePaid("wechat");
    await deliver(desk, "wechat", paid("wechat", order));
    await deliver(desk, "wechat", wechatSays(order.tradeNo, { transaction_id: "second" }));
    expect((await orderRow(desk.payments[0], order.orderId))?.parked).toBe("paidTwice");
    await deliver(desk, "wechat", desk.wechat.refundNotice(order.tradeNo, { content: { transaction_id: "second" } }));
    expect(await orderRow(desk.payments[0], order.orderId)).toMatchObject({ parked: null, status: 2 });
    await expectCoins(order, 300);
  });
});

test("keys are in no failure and no row", async () => {
  desk.wechat.server.down = true;
  const error = await place(desk, "wechat").catch((caught: unknown) => caught);
  const said = JSON.stringify(error, Object.getOwnPropertyNames(error as object));
  expect(said).not.toMatch(/PRIVATE KEY|WECHATPAY2|signature/);
  expect(said).not.toContain(desk.wechat.settings.WECHAT_PAY_APIV3_KEY);
});
