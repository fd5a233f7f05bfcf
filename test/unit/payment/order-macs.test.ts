import { namedKeysIn } from "../../../config/named-keys.ts";
import { orderMacs } from "../../../services/payment/order-macs.ts";
import { newKeys } from "../../support/unit-signatures.ts";

const [first, second] = [newKeys("k1"), newKeys("k2")];
const macsWith = (keys: string, namespace = "unit") => orderMacs(namedKeysIn(keys), namespace);
const macs = macsWith(first);

const order = {
  ...{ orderId: "o-1", userId: "7", productId: 6, payChannel: 1, amount: 3_000, coins: 300, bizCode: 10_001 },
  ...{ transactionId: "t-1", payTime: new Date(1_700_000_000_123) },
};
const written = { ...order, termsMac: macs.ofTerms(order), paidMac: macs.ofPayment(order) };

test("an order as it was written has no fault", () => {
  expect([macs.termsFault(written), macs.paymentFault(written)]).toEqual([undefined, undefined]);
  // The columns have 64 characters.
  expect(written.termsMac).toMatch(/^k1:[\w-]{43}$/);
});

test.each([
  { orderId: "o-2" },
  { userId: "8" },
  { productId: 7 },
  { payChannel: 2 },
  { amount: 3_001 },
  { coins: 1_000_000_000 },
  { bizCode: 10_002 },
])("terms with another value are found: %j", (change) => {
  expect(macs.termsFault({ ...written, ...change })).toContain("terms: changed");
});

test.each([
  { orderId: "o-2" },
  { payChannel: 2 },
  { amount: 3_001 },
  { transactionId: "t-2" },
  { transactionId: null },
  { payTime: new Date(1_700_000_000_124) },
  { payTime: null },
])("a payment with another value is found: %j", (change) => {
  expect(macs.paymentFault({ ...written, ...change })).toContain("payment: changed");
});

test("a MAC counts for its own part and namespace alone", () => {
  expect(macs.termsFault({ ...written, termsMac: written.paidMac })).toContain("changed");
  expect(macs.paymentFault({ ...written, paidMac: written.termsMac })).toContain("changed");
  expect(macsWith(first, "other").termsFault(written)).toContain("changed");
});

test("every key of the setting verifies, the first one signs; one that is missing is named", () => {
  const rotated = macsWith(`${second},${first}`);
  expect([rotated.termsFault(written), rotated.paymentFault(written)]).toEqual([undefined, undefined]);
  expect(rotated.ofTerms(order)).toMatch(/^k2:/);
  expect(macsWith(second).termsFault(written)).toContain("none named k1");
});

test("strange MACs are faults, and never throw", () => {
  const strange = [null, "", ":", "k1", "k1:", "k1:".padEnd(46, "é"), `${written.termsMac}:x`, `k9:${"a".repeat(43)}`];
  for (const termsMac of strange) expect(macs.termsFault({ ...written, termsMac })).toEqual(expect.any(String));
});
