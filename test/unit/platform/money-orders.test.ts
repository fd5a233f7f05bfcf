import fc from "fast-check";
import { needsApproval } from "../../../services/platform/money/four-eyes.ts";
import {
  faultOfRow,
  type OrderContent,
  proposalSubject,
  sameContent,
  signOrder,
} from "../../../services/platform/money/order.ts";
import {
  counts,
  type MoneyOrderState,
  orderStates,
  stateOf,
  statesBefore,
} from "../../../services/platform/money/order-state.ts";
import { platformOrderSubject } from "../../../services/wallet/platform-orders.contract.ts";
import { unitSignatures } from "../../support/unit-signatures.ts";

const states = Object.keys(orderStates) as MoneyOrderState[];

describe("the states of an order", () => {
  const before = (state: MoneyOrderState) => statesBefore(state).map(stateOf);

  test("only a proposal is approved, declined or expires; only what is pending is done or refused", () => {
    expect(Object.fromEntries(states.map((state) => [state, before(state)]))).toEqual({
      proposed: [],
      pending: ["proposed"],
      done: ["pending"],
      refused: ["pending"],
      declined: ["proposed"],
      expired: ["proposed"],
    });
  });

  test("have their numbers, and no other number is one", () => {
    for (const state of states) expect(stateOf(orderStates[state])).toBe(state);
    expect(() => stateOf(6)).toThrow(RangeError);
  });

  test("count for four eyes while coins moved or will", () => {
    expect(states.filter(counts)).toEqual(["pending", "done"]);
  });
});

test("however an amount is split, no more than the bound goes through without another person", () => {
  const coins = fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.constantFrom(10_000, 10_001, Number.MAX_SAFE_INTEGER));
  fc.assert(
    fc.property(fc.array(fc.tuple(coins, fc.constantFrom(1, -1)), { maxLength: 30 }), (parts) => {
      let moved = 0n;
      for (const [amount, sign] of parts) if (!needsApproval(moved, amount * sign, 10_000)) moved += BigInt(amount);
      expect(moved <= 10_000n).toBe(true);
    }),
  );
  expect(needsApproval(0n, 10_000, 10_000)).toBe(false);
  expect(needsApproval(0n, -10_001, 10_000)).toBe(true);
  expect(needsApproval(0n, 1, 0)).toBe(true);
});

describe("a row's signature", () => {
  const signatures = unitSignatures("platform");
  const content: OrderContent = { kind: "credit", externalId: "shop-1", userId: "7", amount: 5 };
  const row = (over: Partial<OrderContent & { signed: string }> = {}) => ({
    ...content,
    signed: signOrder(signatures, content, false),
    ...over,
  });

  test("is of its content and of its place", () => {
    expect(faultOfRow(signatures, row())).toBeUndefined();
    expect(faultOfRow(signatures, row({ signed: signOrder(signatures, content, true) }))).toBe("wrongSignature");
    expect(faultOfRow(signatures, row({ signed: signOrder(signatures, content, true) }), true)).toBeUndefined();
    expect(faultOfRow(signatures, row(), true)).toBe("wrongSignature");
    expect(faultOfRow(signatures, row({ signed: "{}" }))).toBe("unsigned");
    expect(faultOfRow(unitSignatures("platform"), row())).toBe("unknownKey");
    for (const over of [{ userId: "8" }, { amount: 6 }, { externalId: "shop-2" }, { kind: "adjust" as const }])
      expect(faultOfRow(signatures, row(over))).toMatch(/columns differ/);
    expect(signatures.open(proposalSubject, row().signed)).toHaveProperty("fault");
    expect(signatures.open(platformOrderSubject, row().signed)).toHaveProperty("body");
  });

  test("of the longest order fits its column", () => {
    const longest = {
      kind: "payout",
      externalId: '"'.repeat(64),
      userId: "1".repeat(20),
      amount: 2 ** 53 - 1,
    } as const;
    expect(signOrder(signatures, longest, true).length).toBeLessThan(1_000);
  });

  test("a repeat has the same content in every field", () => {
    expect(sameContent(content, { ...content })).toBe(true);
    for (const over of [{ userId: "8" }, { amount: 6 }, { externalId: "x" }, { kind: "payout" as const }])
      expect(sameContent(content, { ...content, ...over })).toBe(false);
  });
});
