import type { BillLine } from "../../../services/payment/payment.contract.ts";
import {
  type ChannelDay,
  type ComparedOrder,
  type ComparedRefund,
  compareDay,
  creditsWithoutPayment,
  distinct,
  takenWithoutRefund,
} from "../../../services/payment/reconciliation/compare.ts";

const booked = (coins: number) => new Map([["order-1", { orderId: "order-1", coins }]]);
const paid: BillLine = { kind: "paid", orderId: "order-1", transactionId: "t-1", amount: 3_000 };
const back = (amount = 3_000, refundId = "r-1"): BillLine => ({ ...paid, kind: "refunded", amount, refundId });
const done: ComparedRefund = { state: "done", amount: 3_000, isExpected: true, isMade: true };
const order: ComparedOrder = {
  ...{ orderId: "order-1", state: "paid", transactionId: "t-1", amount: 3_000, coins: 300 },
  ...{ ofTheDay: true, neverCredited: false, refund: null },
};
const refunded: ComparedOrder = { ...order, state: "refunded", refund: done };

/** The differences of a day with one order, by kind. */
function found(of: ComparedOrder, bill: BillLine[], day: Partial<ChannelDay> = {}): [string, string][] {
  const taken = of.state === "refunded" ? booked(300) : new Map();
  const orders = new Map([[of.orderId, of]]);
  const all = compareDay({ bill, orders, refundsOfOtherDays: [], credits: booked(300), taken, ...day });
  return all.map(({ kind, detail }) => [kind, detail]);
}

describe("a refund of which all books know the same", () => {
  test.each<[string, ComparedOrder, BillLine[], Partial<ChannelDay>]>([
    ["is in the bill of the day", refunded, [paid, back()], {}],
    ["is in the bill of another day", refunded, [paid], { refundsOfOtherDays: [back()] }],
    ["is in the bills in two parts", refunded, [paid, back(1_000)], { refundsOfOtherDays: [back(2_000, "r-2")] }],
    ["is not accepted by the provider yet", { ...refunded, refund: { ...done, isExpected: false } }, [paid], {}],
    [
      "gave no coins back, since none were given",
      { ...refunded, neverCredited: true },
      [paid, back()],
      {
        ...{ credits: new Map(), taken: new Map() },
      },
    ],
  ])("%s, and is no difference", (_what, of, bill, day) => {
    expect(found(of, bill, day)).toEqual([]);
  });

  test("is no difference where it is of a second payment of the order", () => {
    expect(found(order, [paid, { ...back(), transactionId: "t-2" }])).toEqual([]);
  });
});

test("a credit needs a paid order that names its payment", () => {
  const differences = (state: ComparedOrder["state"], transactionId: string | null) =>
    creditsWithoutPayment([{ orderId: "order-1", coins: 300 }], new Map([["order-1", { state, transactionId }]])).map(
      ({ kind, detail }) => [kind, detail],
    );
  expect([differences("paid", "t-1"), differences("refunded", "t-1")]).toEqual([[], []]);
  expect(differences("paid", null)).toEqual([["creditedNotPaid", "300 coins, the order names no payment"]]);
  expect(differences("paying", null)).toEqual([["creditedNotPaid", "300 coins, the order is paying"]]);
});

test("an order that is marked as never credited has no credit: else its refund took no coins back", () => {
  const marked = { ...refunded, neverCredited: true };
  expect(found(marked, [paid, back()])).toEqual([["refundNotTaken", "300 coins of a refund that took none back"]]);
});

describe("a refund is a difference where", () => {
  test("it is made here and in no bill", () => {
    expect(found(refunded, [paid])).toEqual([["refundNotInBill", "3000 fen refunded here"]]);
  });

  test("it is in the bill, and the order is not refunded here, wholly or in part", () => {
    expect(found(order, [paid, back()])).toEqual([
      ["refundUnknown", "3000 fen refunded by the bills (r-1), the order of 3000 fen is paid"],
    ]);
    expect(found(order, [paid, back(100)])).toEqual([
      ["refundUnknown", "100 fen refunded by the bills (r-1), the order of 3000 fen is paid"],
    ]);
  });

  test("it is in the bill, and there is no such order", () => {
    expect(found(order, [paid, { ...back(), orderId: "stray" }])).toEqual([
      ["refundUnknown", "refunded 3000 fen, no such order"],
    ]);
  });

  test("less went back by the bills than here", () => {
    expect(found(refunded, [paid, back(2_999)])).toEqual([
      ["refundDiffers", "2999 fen refunded by the bills (r-1), 3000 here"],
    ]);
  });

  test("more went back by the bills than here: in one bill, on two days, or in parts", () => {
    const twice = "6000 fen refunded by the bills (r-2, r-1), 3000 here";
    expect(found(refunded, [paid, back(3_000, "r-2"), back()])).toEqual([["refundTwice", twice]]);
    const later = { ...refunded, refund: { ...done, isExpected: false } };
    expect(found(later, [paid, back()], { refundsOfOtherDays: [back(3_000, "r-2")] })).toEqual([
      ["refundTwice", twice],
    ]);
    expect(found(refunded, [paid, back(), back(1, "r-2")])).toEqual([
      ["refundTwice", "3001 fen refunded by the bills (r-1, r-2), 3000 here"],
    ]);
  });

  test("its coins were not taken back, or not all of them", () => {
    expect(found(refunded, [paid, back()], { taken: new Map() })).toEqual([
      ["refundNotTaken", "300 coins were not taken back"],
    ]);
    expect(found(refunded, [paid, back()], { taken: booked(299) })).toEqual([
      ["refundNotTaken", "299 coins taken back or owed instead of 300"],
    ]);
    // A refund of this morning is not of the compared day: its coins may be on their way.
    const fresh = { ...refunded, refund: { ...done, isMade: false, isExpected: false } };
    expect(found(fresh, [paid], { taken: new Map() })).toEqual([]);
  });

  test("the wallet took coins back of an order that is not refunded, was never credited, or does not exist", () => {
    const kinds = (of: ComparedOrder | undefined) =>
      takenWithoutRefund([{ orderId: "order-1", coins: 300 }], new Map(of ? [["order-1", of]] : [])).map(
        ({ kind, detail }) => [kind, detail],
      );
    expect(kinds(refunded)).toEqual([]);
    const what = "300 coins taken back or owed";
    expect(kinds(order)).toEqual([["takenNotRefunded", `${what}, the order is paid`]]);
    expect(kinds({ ...refunded, neverCredited: true })).toEqual([
      ["takenNotRefunded", `${what}, the order was never credited`],
    ]);
    expect(kinds(undefined)).toEqual([["takenNotRefunded", `${what}, no such order`]]);
  });
});

test("a payment that is in the bill twice is one difference", () => {
  expect(found(order, [paid, paid])).toEqual([["amountDiffers", "the payment is in the bill 2 times"]]);
});

test("of equal differences one is left", () => {
  const one = { kind: "unknown" as const, orderId: "o", transactionId: null, detail: "d" };
  expect(distinct([one, { ...one }, { ...one, detail: "e" }])).toEqual([one, { ...one, detail: "e" }]);
});
