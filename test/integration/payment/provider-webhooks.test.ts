import fc from "fast-check";
import type { RawWebhook, WebhookAnswer } from "../../../services/payment/payment.contract.ts";
import type { OpenProvider } from "../../../services/payment/providers/provider.ts";
import { insist } from "../../support/providers/simulated-server.ts";
import { strangeJson, strangeObject } from "../../support/strange-values.ts";
import { marksOf, messagesOf, orderRow, webhooksOf } from "./payment-node.ts";
import {
  type Change,
  channels,
  credited,
  deliver,
  expectCoins,
  opened,
  type PlacedOrder,
  paidWebhook,
  pay,
  place,
  placePaid,
  refundWebhook,
  statusOf,
  useProviderNodes,
} from "./provider-nodes.ts";

const nodes = useProviderNodes();

const paid = (order: PlacedOrder, change?: Change) => paidWebhook(nodes, order, change);
const send = (order: PlacedOrder, raw: RawWebhook): Promise<WebhookAnswer> => deliver(nodes, order.channel, raw);

const succeeded = {
  wechat: { httpStatus: 200, body: "" },
  alipay: { httpStatus: 200, body: "success" },
  cashier: { httpStatus: 200, body: expect.stringContaining('"SUCCESS"') },
};
const outcomes = async ({ orderId }: PlacedOrder) =>
  (await webhooksOf(nodes.payments[0], orderId)).map(({ outcome }) => outcome).sort();

describe("an order", () => {
  test("of WeChat Pay is made there, signed, and paid at its code_url", async () => {
    const order = await place(nodes, "wechat");
    expect(order.payUrl).toMatch(/^weixin:\/\/wxpay\/bizpayurl\?pr=/);
    expect(nodes.wechat.trade(order.tradeNo)).toMatchObject({ total: 3_000, state: "NOTPAY" });
    const made = nodes.wechat.server.calls.at(-1);
    expect(JSON.parse(made?.body ?? "")).toMatchObject({
      notify_url: "http://gateway.example/live/bank/payNotify/wxNotify",
      out_trade_no: order.orderId.replaceAll("-", ""),
    });
    expect(await statusOf(nodes, order)).toBe(1);
  });

  test("of Alipay is a signed page, with the amount in yuan", async () => {
    const order = await place(nodes, "alipay");
    expect(nodes.alipay.trade(order.tradeNo)).toMatchObject({ total: "30.00", status: "WAIT_BUYER_PAY" });
    expect(new URL(order.payUrl).searchParams.get("notify_url")).toBe(
      "http://gateway.example/live/bank/payNotify/aliNotify",
    );
    expect(await statusOf(nodes, order)).toBe(1);
  });

  test.each([true, 500, 429] as const)("fails as unavailable while WeChat Pay is down (%s)", async (down) => {
    nodes.wechat.server.down = down;
    await expect(place(nodes, "wechat")).rejects.toMatchObject({ type: "unavailable" });
  });
});

/** The page of these is made here: its payer pays, and the webhook comes, before the order's maker has it. */
async function placeAnsweredLate(channel: "alipay" | "cashier"): Promise<PlacedOrder> {
  const makers = nodes.payments.map(({ providers }) => {
    const { provider } = providers.get(channel) as OpenProvider;
    const make = provider.createPayment;
    return jest.spyOn(provider, "createPayment").mockImplementation(async (order, ...rest) => {
      const made = await make(order, ...rest);
      const early = opened(nodes, { channel, userId: order.userId, orderId: order.orderId, payUrl: made.payUrl });
      expect((await orderRow(nodes.payments[0], order.orderId))?.status).toBe(0);
      expect(await pay(nodes, early)).toBe(true);
      expect(await send(early, paid(early))).toMatchObject(succeeded[channel]);
      return made;
    });
  });
  try {
    return await place(nodes, channel);
  } finally {
    for (const maker of makers) maker.mockRestore();
  }
}

describe.each(channels)("a genuine webhook of %s", (channel) => {
  test("pays the order and credits it", async () => {
    const order = await placePaid(nodes, channel);
    expect(await send(order, paid(order))).toMatchObject(succeeded[channel]);
    expect(await statusOf(nodes, order)).toBe(2);
    await expectCoins(nodes, order, 300);
    const [webhook] = await webhooksOf(nodes.payments[0], order.orderId);
    expect(webhook?.body).not.toMatch(/159\*+5620|ciphertext":"[A-Za-z0-9]|sign=[A-Za-z0-9]/);
  });

  test("that is repeated a second later and replayed as it was is answered with success and credited once", async () => {
    const order = await placePaid(nodes, channel);
    const first = paid(order);
    await send(order, first);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await send(order, paid(order))).toMatchObject(succeeded[channel]);
    expect(await send(order, first)).toMatchObject(succeeded[channel]);
    expect(await outcomes(order)).toEqual(["applied", "repeated", "repeated"]);
    await expectCoins(nodes, order, 300);
  });

  test("200 times at the same instant, on two nodes, is credited once", async () => {
    const order = await placePaid(nodes, channel);
    const webhook = paid(order);
    const answers = await Promise.all(Array.from({ length: 200 }, () => send(order, webhook)));
    for (const answer of answers) expect(answer).toMatchObject(succeeded[channel]);
    expect(await outcomes(order)).toEqual(["applied", ...Array(199).fill("repeated")]);
    expect(await messagesOf(nodes.payments[0], order.orderId)).toEqual(["event.payment.paid", "pay.recharge"]);
    await expectCoins(nodes, order, 300);
  });

  test("is called again by the provider's schedule until the service is back, and loses nothing", async () => {
    const order = await placePaid(nodes, channel);
    let failures = 3;
    const die = () => {
      if (failures-- > 0) throw new Error("the node died");
    };
    for (const payment of nodes.payments) payment.steps = { beforeCommit: die };
    const made = await insist(channel, () =>
      send(order, paid(order)).then(
        ({ httpStatus }) => httpStatus === 200,
        () => false,
      ),
    );
    expect(made).toBe(4);
    await expectCoins(nodes, order, 300);
  });

  test("lends its signature to no other webhook", async () => {
    const [mine, another] = [await placePaid(nodes, channel), await placePaid(nodes, channel)];
    await send(mine, paid(mine));
    const [genuine, borrowing] = [paid(mine), paid(another)];
    const sign = /sign=[^&]*/.exec(genuine.body)?.[0] ?? "";
    const forged = { ...borrowing, headers: genuine.headers, body: borrowing.body.replace(/sign=[^&]*/, sign) };
    expect((await send(another, forged)).httpStatus).toBe(401);
    expect(await statusOf(nodes, another)).toBe(1);
    await expectCoins(nodes, mine, 300);
  });

  test("that comes before the order's own answer leaves it paid", async () => {
    if (channel !== "wechat") {
      const order = await placeAnsweredLate(channel);
      expect(await statusOf(nodes, order)).toBe(2);
      expect(await outcomes(order)).toEqual(["applied"]);
      return expectCoins(nodes, order, 300);
    }
    nodes.wechat.beforeOrderAnswer = async (tradeNo) => {
      nodes.wechat.beforeOrderAnswer = async () => {};
      nodes.wechat.pay(tradeNo);
      expect(await deliver(nodes, "wechat", nodes.wechat.paidWebhook(tradeNo))).toMatchObject(succeeded.wechat);
    };
    const order = await place(nodes, "wechat");
    expect(await statusOf(nodes, order)).toBe(2);
    await expectCoins(nodes, order, 300);
  });

  test("of a refund before that of its payment credits nothing, whatever comes after it", async () => {
    const order = await placePaid(nodes, channel);
    const payment = paid(order);
    expect(await send(order, refundWebhook(nodes, order))).toMatchObject(succeeded[channel]);
    expect(await send(order, payment)).toMatchObject(succeeded[channel]);
    expect(await statusOf(nodes, order)).toBe(5);
    expect(await messagesOf(nodes.payments[0], order.orderId)).toEqual([
      "event.payment.paid",
      "event.payment.refunded",
    ]);
    expect(await outcomes(order)).toEqual(["applied", "repeated"]);
  });

  test("of a refund takes the coins of a credited order back, once", async () => {
    const order = await credited(nodes, channel);
    for (let time = 0; time < 3; time++)
      expect(await send(order, refundWebhook(nodes, order))).toMatchObject(succeeded[channel]);
    expect(await statusOf(nodes, order)).toBe(5);
    await expectCoins(nodes, order, 0);
    expect(await outcomes(order)).toEqual(["applied", "applied", "repeated", "repeated"]);
  });
});

const wechatOnly: [what: string, status: number, make: (order: PlacedOrder) => RawWebhook][] = [
  ["of another amount", 400, ({ tradeNo }) => wechatSays(tradeNo, { amount: { total: 1, currency: "CNY" } })],
  ["for another merchant", 400, ({ tradeNo }) => wechatSays(tradeNo, { mchid: "1900000002" })],
  ["for another app", 400, ({ tradeNo }) => wechatSays(tradeNo, { appid: "wx2" })],
  ["in another currency", 400, ({ tradeNo }) => wechatSays(tradeNo, { amount: { total: 3_000, currency: "USD" } })],
  ["for an unknown order", 404, ({ tradeNo }) => wechatSays(tradeNo, { out_trade_no: "nosuchorder" })],
  ["with a stale timestamp", 401, ({ tradeNo }) => nodes.wechat.paidWebhook(tradeNo, { age: 301 })],
  ["with a timestamp of the future", 401, ({ tradeNo }) => nodes.wechat.paidWebhook(tradeNo, { age: -400 })],
  ["signed by another key", 401, ({ tradeNo }) => nodes.wechat.paidWebhook(tradeNo, { foreignKey: true })],
  ["of another serial", 401, ({ tradeNo }) => nodes.wechat.paidWebhook(tradeNo, { serial: "OTHER" })],
  ["sealed with another key", 401, ({ tradeNo }) => nodes.wechat.paidWebhook(tradeNo, { apiV3Key: "k".repeat(32) })],
  [
    "whose body was changed",
    401,
    ({ tradeNo }) =>
      nodes.wechat.paidWebhook(tradeNo, { tamper: (body) => body.replace("TRANSACTION", "TRANSACTIOM") }),
  ],
  ["without headers", 401, ({ tradeNo }) => ({ ...nodes.wechat.paidWebhook(tradeNo), headers: {} })],
];
const wechatSays = (tradeNo: string, content: Record<string, unknown>) =>
  nodes.wechat.paidWebhook(tradeNo, { content });

const alipayOnly: typeof wechatOnly = [
  ["of another amount", 400, ({ tradeNo }) => alipayWith(tradeNo, { total_amount: "0.01" })],
  ["of an amount that is no number of fen", 400, ({ tradeNo }) => alipayWith(tradeNo, { total_amount: "30.001" })],
  ["for another app", 400, ({ tradeNo }) => alipayWith(tradeNo, { app_id: "2021000000000002" })],
  ["for another seller", 400, ({ tradeNo }) => alipayWith(tradeNo, { seller_id: "2088000000000002" })],
  ["for an unknown order", 404, ({ tradeNo }) => alipayWith(tradeNo, { out_trade_no: "nosuchorder" })],
  ["with a stale time", 401, ({ tradeNo }) => nodes.alipay.webhook(tradeNo, { age: 27 * 3_600 })],
  ["signed by another key", 401, ({ tradeNo }) => nodes.alipay.webhook(tradeNo, { foreignKey: true })],
  [
    "whose body was changed",
    401,
    ({ tradeNo }) =>
      nodes.alipay.webhook(tradeNo, { tamper: (body) => body.replace("total_amount=30.00", "total_amount=3.00") }),
  ],
  [
    "with a field twice",
    400,
    ({ tradeNo }) => nodes.alipay.webhook(tradeNo, { tamper: (body) => `${body}&total_amount=30.00` }),
  ],
  ["unsigned", 401, ({ tradeNo }) => ({ ...nodes.alipay.webhook(tradeNo), body: `out_trade_no=${tradeNo}` })],
];
const alipayWith = (tradeNo: string, content: Record<string, string>) => nodes.alipay.webhook(tradeNo, { content });

const cashierOnly: typeof wechatOnly = [
  ["of another amount", 400, ({ tradeNo }) => cashierWebhook(tradeNo, { amount: 1 })],
  ["of an amount that is text", 400, ({ tradeNo }) => cashierWebhook(tradeNo, { amount: "3000" })],
  ["for another merchant", 400, ({ tradeNo }) => cashierWebhook(tradeNo, { merchant: "somebody-else" })],
  ["in another currency", 400, ({ tradeNo }) => cashierWebhook(tradeNo, { currency: "USD" })],
  ["for an unknown order", 404, ({ tradeNo }) => cashierWebhook(tradeNo, { orderId: "nosuchorder" })],
  ["with a stale timestamp", 401, ({ tradeNo }) => nodes.cashier.paidWebhook(tradeNo, { age: 301 })],
  ["with a timestamp of the future", 401, ({ tradeNo }) => nodes.cashier.paidWebhook(tradeNo, { age: -400 })],
  ["signed by another key", 401, ({ tradeNo }) => nodes.cashier.paidWebhook(tradeNo, { foreignKey: true })],
  [
    "whose body was changed",
    401,
    ({ tradeNo }) => nodes.cashier.paidWebhook(tradeNo, { tamper: (body) => body.replace("3000", "3001") }),
  ],
  ["without headers", 401, ({ tradeNo }) => ({ ...nodes.cashier.paidWebhook(tradeNo), headers: {} })],
  ["of a refund without its amount", 400, ({ tradeNo }) => cashierWebhook(tradeNo, { status: "REFUNDED" })],
  ["of a payment with a refund's amount", 400, ({ tradeNo }) => cashierWebhook(tradeNo, { refundAmount: 3_000 })],
];
const cashierWebhook = (tradeNo: string, content: Record<string, unknown>) =>
  nodes.cashier.paidWebhook(tradeNo, { content });

describe.each([
  ["wechat", wechatOnly, /^\{"code":"FAIL","message":"\w+"\}$/],
  ["alipay", alipayOnly, /^failure$/],
  ["cashier", cashierOnly, /^\{"result":"FAIL","reason":"\w+"\}$/],
] as const)("a webhook of %s that is not genuine changes nothing and is recorded", (channel, cases, format) => {
  test.each(cases)("%s", async (_what, status, make) => {
    const order = await placePaid(nodes, channel);
    const refusals = async () => {
      const [row] = await nodes.payments[0].mysql.query<{ n: string }>(
        "SELECT COUNT(*) AS n FROM t_pay_webhook WHERE outcome = 'refused'",
      );
      return Number(row?.n);
    };
    const before = await refusals();
    const answer = await deliver(nodes, channel, make(order));
    expect(answer).toMatchObject({ httpStatus: status, body: expect.stringMatching(format) });
    expect(await statusOf(nodes, order)).toBe(1);
    expect(await messagesOf(nodes.payments[0], order.orderId)).toEqual([]);
    expect(await refusals()).toBe(before + 1);
  });
});

describe("a refund at WeChat Pay", () => {
  test("of a part takes no coins and waits for an operator", async () => {
    const order = await credited(nodes, "wechat");
    const content = { amount: { total: 3_000, refund: 100, payer_total: 3_000, payer_refund: 100 } };
    await deliver(nodes, "wechat", nodes.wechat.refundWebhook(order.tradeNo, { content }));
    expect(await statusOf(nodes, order)).toBe(2);
    expect(await marksOf(nodes.payments[0], order.orderId)).toEqual(["refundPartial"]);
    await expectCoins(nodes, order, 300);
  });

  test("of a second payment leaves the first one alone", async () => {
    const order = await credited(nodes, "wechat");
    await deliver(nodes, "wechat", wechatSays(order.tradeNo, { transaction_id: "second" }));
    expect(await marksOf(nodes.payments[0], order.orderId)).toEqual(["paidTwice"]);
    await deliver(
      nodes,
      "wechat",
      nodes.wechat.refundWebhook(order.tradeNo, { content: { transaction_id: "second" } }),
    );
    expect(await marksOf(nodes.payments[0], order.orderId)).toEqual([]);
    expect(await statusOf(nodes, order)).toBe(2);
    await expectCoins(nodes, order, 300);
  });
});

describe("while WeChat Pay changes its platform key", () => {
  test("webhooks and answers by either key verify, each by the serial it names", async () => {
    const before = await placePaid(nodes, "wechat");
    const sentBefore = paid(before);
    nodes.wechat.rotated = true;
    const order = await placePaid(nodes, "wechat");
    expect(await send(order, paid(order))).toMatchObject(succeeded.wechat);
    expect(await send(before, sentBefore)).toMatchObject(succeeded.wechat);
    await expectCoins(nodes, order, 300);
    await expectCoins(nodes, before, 300);
  });

  test.each([
    ["the next key under the present serial", true, "PLATFORMSERIAL01"],
    ["the present key under the next serial", false, "PLATFORMSERIAL02"],
  ])("%s does not verify", async (_what, rotated, serial) => {
    const order = await placePaid(nodes, "wechat");
    nodes.wechat.rotated = rotated;
    expect((await send(order, nodes.wechat.paidWebhook(order.tradeNo, { serial }))).httpStatus).toBe(401);
    expect(await statusOf(nodes, order)).toBe(1);
  });
});

test("keys are in no failure and no row", async () => {
  nodes.wechat.server.down = true;
  const error = await place(nodes, "wechat").catch((caught: unknown) => caught);
  const said = JSON.stringify(error, Object.getOwnPropertyNames(error as object));
  expect(said).not.toMatch(/PRIVATE KEY|WECHATPAY2|signature/);
  expect(said).not.toContain(nodes.wechat.settings.WECHAT_PAY_APIV3_KEY);
});

describe("a call that is anything", () => {
  const headers = fc.dictionary(
    fc.constantFrom(
      "x-cashier-timestamp",
      "x-cashier-nonce",
      "x-cashier-signature",
      "wechatpay-signature",
      "__proto__",
    ),
    fc.string({ unit: "binary", maxLength: 80 }),
  );
  const bodies = fc.oneof(
    strangeObject(["id", "event_type", "resource", "out_trade_no", "amount"]).filter((text) => text.length < 60_000),
    strangeJson("sign", "sign_type").filter((text) => text.length < 60_000),
    fc.webQueryParameters(),
    fc.string({ unit: "binary" }),
  );

  test.each(channels)("at the address of %s is answered 4xx, and changes nothing", async (channel) => {
    const order = await place(nodes, channel);
    const before = await outcomes(order);
    const property = fc.asyncProperty(headers, bodies, async (sent, body) => {
      const raw = { ...paid(order), body };
      const mixed = { ...raw, headers: { ...raw.headers, ...sent } };
      const { httpStatus } = await send(order, mixed);
      expect([httpStatus >= 400, httpStatus < 500]).toEqual([true, true]);
    });
    await fc.assert(property, { numRuns: 20 });
    expect(await statusOf(nodes, order)).toBe(1);
    expect(await outcomes(order)).toEqual(before);
  });

  test.each(channels)("of %s, and signed, is answered 4xx or changes nothing", async (channel) => {
    const order = await place(nodes, channel);
    // Each of these makes it a call about something else, whatever stands there: no strange value is the order's own.
    const names = { wechat: ["out_trade_no"], alipay: ["out_trade_no"], cashier: ["orderId"] }[channel];
    const others = {
      wechat: ["amount", "transaction_id", "success_time", "trade_state", "mchid"],
      alipay: ["total_amount", "trade_no", "gmt_payment", "seller_id"],
      cashier: ["amount", "transactionId", "time", "status"],
    }[channel];
    const value = strangeJson(...names).filter((text) => text.length < 1_000);
    const content = fc.tuple(fc.constantFrom(...names), value, fc.option(fc.tuple(fc.constantFrom(...others), value)));
    const property = fc.asyncProperty(content, async ([name, text, other]) => {
      // Of a form, fields are texts.
      const fieldOf = (of: string) => (channel === "alipay" ? of : (JSON.parse(of) as unknown));
      const change = Object.fromEntries(
        [[name, text] as const, ...(other ? [other] : [])].map(([key, of]) => [key, fieldOf(of)]),
      );
      const { httpStatus } = await send(order, paid(order, { content: change as Record<string, never> }));
      expect([httpStatus >= 400, httpStatus < 500]).toEqual([true, true]);
    });
    await fc.assert(property, { numRuns: 15 });
    expect(await statusOf(nodes, order)).toBe(1);
  });
});
