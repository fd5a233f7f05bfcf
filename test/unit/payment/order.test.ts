import {
  markedPayment,
  moneyGone,
  newOrderId,
  parkedReasons,
  payOrderOf,
  uncredited,
} from "../../../services/payment/order.ts";
import { offerOf } from "../../../services/payment/product.ts";

describe("order ids", () => {
  test("are version 7 UUIDs that sort by the millisecond they were made in", () => {
    const ids = [1_700_000_000_000, 1_700_000_000_001, 1_800_000_000_000].map((now) => newOrderId(now));
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect([...ids].sort()).toEqual(ids);
    expect(Number.parseInt(ids[0]!.replaceAll("-", "").slice(0, 12), 16)).toBe(1_700_000_000_000);
  });

  test("of one millisecond differ", () => {
    expect(new Set(Array.from({ length: 1_000 }, () => newOrderId(1))).size).toBe(1_000);
  });
});

describe("marks", () => {
  test("of a payment name it, those of the order name none", () => {
    const named = parkedReasons.filter((mark) => markedPayment(mark, "t") === "t");
    expect(named).toEqual(["paidWhenClosed", "paidTwice", "refundPartial", "refundUnclear"]);
    expect(parkedReasons.filter((mark) => markedPayment(mark, "t") === "")).toEqual([
      ...uncredited,
      "refundFailed",
      "refundChanged",
    ]);
    expect(markedPayment("neverCredited", "t")).toBe("");
  });

  test("that say an order is not credited are not those that say money went back", () => {
    expect(uncredited.filter((mark) => (moneyGone as readonly string[]).includes(mark))).toEqual([]);
  });
});

test("a payer sees status as a number, coins, fen and the time of payment in ISO", () => {
  const order = {
    orderId: "o",
    productId: 6,
    userId: "1",
    source: 1,
    payChannel: 3,
    state: "paid",
    amount: 3_000,
    coins: 300,
    bizCode: 10001,
    transactionId: "t",
    payTime: new Date(0),
    termsMac: null,
    paidMac: null,
  } as const;
  expect(payOrderOf(order)).toEqual({
    orderId: "o",
    productId: 6,
    status: 2,
    coinNum: 300,
    amount: 3_000,
    payTime: "1970-01-01T00:00:00.000Z",
  });
  expect(payOrderOf({ ...order, payTime: null }).payTime).toBeUndefined();
});

describe("a product is an offer", () => {
  const row = { id: 6, name: "n", price: 3_000, extra: { coin: 300 }, type: 0, validStatus: 1 };

  test("where it is on sale with price and coins", () => {
    expect(offerOf(row)).toEqual({ productId: 6, name: "n", price: 3_000, coins: 300, bizCode: 10001 });
  });

  test.each([
    ["there is none", null],
    ["it is off sale", { ...row, validStatus: 0 }],
    ["its type is unknown", { ...row, type: 1 }],
    ["its price is zero", { ...row, price: 0 }],
    ["its coins are missing", { ...row, extra: {} }],
    ["its coins are text", { ...row, extra: { coin: "300" } }],
    ["its coins are a fraction", { ...row, extra: { coin: 0.5 } }],
    ["its coins are negative", { ...row, extra: { coin: -1 } }],
    ["its coins are unsafe", { ...row, extra: { coin: 2 ** 53 } }],
    ["its extra is null", { ...row, extra: null }],
  ])("not where %s", (_why, product) => {
    expect(offerOf(product)).toBeNull();
  });
});
