import { compare } from "../../../drill/books/compare.ts";
import type { RecordRow, TradeRow } from "../../../drill/books/row-books.ts";
import { promptMs, stallOf } from "../../../drill/books/stall.ts";
import type { Sent, SentGift, SentPayment } from "../../../drill/load/jobs.ts";

/** What the drill finds in books that contradict what clients were answered. */

const gift = (orderId: string, over: Partial<SentGift> = {}): SentGift => ({
  ...{ orderId, senderId: "7", roomId: 1, number: 0, coins: 1, sentAt: 0, answeredAt: 10, outcome: "accepted" },
  isPoor: false,
  ...over,
});
const payment = (orderId: string, over: Partial<SentPayment> = {}): SentPayment => ({
  ...{ orderId, userId: "8", coins: 300, paidAt: 0, outcome: "accepted" },
  ...over,
});
const record = (orderId: string, over: Partial<RecordRow> = {}): RecordRow => ({
  ...{ orderId, userId: "7", succeeded: true, settledAt: 100 },
  ...over,
});
let id = 0n;
const charge = (bizId: string, over: Partial<TradeRow> = {}): TradeRow => ({
  ...{ id: ++id, bizId, userId: "7", coins: -1, type: 0, succeeded: true },
  ...over,
});
const credit = (bizId: string, over: Partial<TradeRow> = {}): TradeRow =>
  charge(bizId, { userId: "8", coins: 300, type: 1, ...over });
const sent = (gifts: SentGift[], payments: SentPayment[] = []): Sent => ({ gifts, payments, errors: {}, misnamed: 0 });

test("books that agree with the answers have no fault", () => {
  const found = compare(
    sent(
      [gift("a"), gift("b", { number: 1, outcome: "unknown" }), gift("c", { number: 2, outcome: "refused" })],
      [payment("p")],
    ),
    [record("a"), record("b")],
    [charge("a"), charge("b"), credit("p")],
  );
  expect(found).toMatchObject({ lost: 0, doubled: 0, disordered: 0, failed: 0, faults: [] });
  expect(found).toMatchObject({ gifts: { accepted: 1, unknown: 1, refused: 1 }, payments: { accepted: 1 } });
});

test("an accepted gift without a record or a charge, and a paid order without coins, are lost", () => {
  expect(compare(sent([gift("a")]), [], []).lost).toBe(2);
  expect(compare(sent([gift("a")]), [record("a")], []).lost).toBe(1);
  expect(compare(sent([], [payment("p")]), [], []).lost).toBe(1);
  expect(compare(sent([], [payment("p", { outcome: "unknown" })]), [], []).lost).toBe(0);
});

test.each<[string, Sent, RecordRow[], TradeRow[]]>([
  ["two records", sent([gift("a")]), [record("a"), record("a")], [charge("a")]],
  ["two charges", sent([gift("a")]), [record("a")], [charge("a"), charge("a")]],
  ["two credits", sent([], [payment("p")]), [], [credit("p"), credit("p")]],
  ["another amount", sent([gift("a")]), [record("a")], [charge("a", { coins: -2 })]],
  ["a credit of another amount", sent([], [payment("p")]), [], [credit("p", { coins: 301 })]],
  ["a charge of another user", sent([gift("a")]), [record("a")], [charge("a", { userId: "9" })]],
  ["a record that the charge does not bear out", sent([gift("a")]), [record("a")], [charge("a", { succeeded: false })]],
  ["a refused gift that was charged", sent([gift("a", { outcome: "refused" })]), [record("a")], [charge("a")]],
  ["a charge of a gift that nobody sent", sent([]), [], [charge("x")]],
])("%s counts as doubled, and is named", (_what, asked, records, trades) => {
  const { doubled, faults } = compare(asked, records, trades);
  expect({ doubled, faults: faults.length }).toEqual({ doubled: 1, faults: 1 });
});

test("a gift that fails is a fault where the sender had the coins", () => {
  const books = [[record("a", { succeeded: false })], [charge("a", { succeeded: false })]] as const;
  expect(compare(sent([gift("a")]), ...books)).toMatchObject({ failed: 1, failedOrders: ["a"] });
  expect(compare(sent([gift("a", { isPoor: true })]), ...books)).toMatchObject({ failed: 0, faults: [] });
});

test("a gift of a sender that was charged before an earlier one of hers is out of order; other senders do not matter", () => {
  const gifts = [gift("a"), gift("b", { number: 1 }), gift("c", { senderId: "9", number: 0 })];
  const records = [record("a"), record("b"), record("c", { userId: "9" })];
  const c = () => charge("c", { userId: "9" });
  expect(compare(sent(gifts), records, [charge("b"), c(), charge("a")])).toMatchObject({ disordered: 1, doubled: 0 });
  expect(compare(sent(gifts), records, [charge("a"), c(), charge("b")]).disordered).toBe(0);
});

test("the stall is the longest time in which gifts were held up, put together where they overlap", () => {
  const slow = promptMs + 1_000;
  const gifts = [gift("a"), gift("b", { sentAt: 2_000 }), gift("c", { sentAt: 60_000 }), gift("d", { sentAt: 61_000 })];
  const until = (at: number) => ({ settledAt: at });
  const records = [record("a", until(slow)), record("b", until(9_000)), record("c", until(60_000 + slow))];
  expect(stallOf(gifts, [...records, record("d", until(61_100))])).toMatchObject({ seconds: 9, gifts: 3 });
  expect(stallOf([gift("a")], [record("a")])).toMatchObject({ seconds: 0, gifts: 0, p99: 0.1 });
});
