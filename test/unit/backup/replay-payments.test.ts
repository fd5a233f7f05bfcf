import { namedKeysIn } from "../../../config/named-keys.ts";
import { missingKeys } from "../../../scripts/backup/key-names.ts";
import { orderOf, readPaidOrder } from "../../../scripts/restore/replay-payments.ts";
import type { Order } from "../../../services/payment/order.ts";
import { orderMacs } from "../../../services/payment/order-macs.ts";
import { newKeys, unitSignatures } from "../../support/unit-signatures.ts";

const time = "2026-11-26T14:05:00.000Z";
const paid = { orderId: "p1", userId: "11", coins: 300, amount: 3_000, bizCode: 10_001, time };
const terms = { productId: 6, source: 1, payChannel: 0, transactionId: "t-1" };
const macs = orderMacs(namedKeysIn(newKeys()), "unit");

test("a paid order is read from a message that payment signed, and from no other", () => {
  const signatures = unitSignatures("payment");
  const text = signatures.sign("pay.recharge", JSON.stringify({ ...paid, ...terms }));
  expect(readPaidOrder(signatures, "pay.recharge", text)).toEqual({ ...paid, ...terms });
  expect(readPaidOrder(signatures, "pay.other", text)).toMatch(/not signed by payment/);
  expect(readPaidOrder(signatures, "pay.recharge", text.replace("300", "900"))).toMatch(/not signed by payment/);
  expect(readPaidOrder(signatures, "pay.recharge", JSON.stringify(paid))).toMatch(/unsigned/);
  const bad = signatures.sign("pay.recharge", JSON.stringify({ ...paid, coins: -1 }));
  expect(readPaidOrder(signatures, "pay.recharge", bad)).toMatch(/coins is invalid/);
});

test("its row has the MACs that the payment service gives its own rows", () => {
  const order = orderOf({ ...paid, ...terms }, macs) as Order;
  expect(order).toMatchObject({ state: "paid", payTime: new Date(time), transactionId: "t-1", coins: 300 });
  expect([macs.termsFault(order), macs.paymentFault(order)]).toEqual([undefined, undefined]);
});

test("a message of an earlier release says too little for a row", () => {
  expect(orderOf(paid, macs)).toBeUndefined();
  expect(orderOf({ ...paid, ...terms, transactionId: undefined }, macs)).toBeUndefined();
});

test("keys that are missing, or are others under the same name, are named", () => {
  const there = { BOOK_KEYS: { a: "1", b: "2" }, PAY_KEYS: { c: "3" } };
  expect(missingKeys(there, there)).toEqual([]);
  expect(missingKeys(there, { BOOK_KEYS: { a: "1", b: "9" } })).toEqual([
    "BOOK_KEYS: b, which is another key here",
    "PAY_KEYS: c",
  ]);
});
