import fc from "fast-check";
import { debtPaymentId } from "../../../services/wallet/business-ids.ts";
import { decide } from "../../../services/wallet/ledger.ts";
import { platformBizId } from "../../../services/wallet/platform-orders.contract.ts";
import { sharePoints, wholeCoins } from "../../../services/wallet/points.ts";
import type { Account, Command, Prior } from "../../../services/wallet/posting.ts";

const users = ["11", "12", "13"];
const account = (userId: string, over: Partial<Account> = {}): Account => ({
  userId,
  balance: 0,
  totalCharged: 0,
  debt: 0,
  status: 1,
  ...over,
});

const amount = fc.oneof(
  fc.integer({ min: 1, max: 50 }),
  fc.constantFrom(0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 53), Number.MAX_SAFE_INTEGER),
);
const user = fc.constantFrom(...users);
const bizId = fc.integer({ min: 0, max: 25 }).map((n) => `order-${n}`);
const command: fc.Arbitrary<Command> = fc.oneof(
  fc
    .record({ bizId, userId: user, receiverId: user, amount, percent: fc.integer({ min: 0, max: 100 }) })
    .map(({ percent, ...gift }) => ({
      kind: "gift" as const,
      ...gift,
      incomePoints: sharePoints(gift.amount, percent),
    })),
  fc
    .record({ bizId: bizId.map((id) => `pay-${id}`), userId: user, coins: amount })
    .map((r) => ({ kind: "recharge" as const, ...r })),
  fc
    .record({ bizId: bizId.map((id) => `refund-${id}`), userId: user, coins: amount })
    .map((r) => ({ kind: "refund" as const, ...r })),
  fc
    .record({ bizId: bizId.map((id) => platformBizId("credit", id)), userId: user, coins: amount })
    .map((r) => ({ kind: "credit" as const, ...r })),
  fc
    .record({
      bizId: bizId.map((id) => platformBizId("adjust", id)),
      userId: user,
      coins: amount,
      sign: fc.constantFrom(1, -1),
    })
    .map(({ coins, sign, ...r }) => ({ kind: "adjust" as const, ...r, coins: coins * sign })),
  fc.record({ kind: fc.constantFrom("freeze" as const, "unfreeze" as const), userId: user, reason: fc.constant("r") }),
);

/** The books as the store keeps them, filled batch by batch. */
class Store {
  accounts = new Map(users.map((id) => [id, account(id)]));
  priors = new Map<string, Prior>();
  trades: ReturnType<typeof decide>["trades"] = [];
  debts: ReturnType<typeof decide>["debts"] = [];
  incomes = new Map<string, bigint>();

  apply(commands: readonly Command[]) {
    const decision = decide(this.accounts, this.priors, commands);
    for (const changed of decision.changed) this.accounts.set(changed.userId, changed);
    const empty = {
      num: 0,
      valid: true,
      reason: null,
      counterpartyId: null,
      incomePoints: 0,
      balanceAfter: 0,
      debtNum: 0,
    };
    for (const row of decision.trades) {
      expect(this.trades.some(({ bizId }) => bizId === row.bizId)).toBe(false);
      this.trades.push(row);
      this.priors.set(row.bizId, { ...empty, ...row, valid: row.status === 1 });
    }
    for (const row of decision.debts) {
      this.debts.push(row);
      this.priors.set(row.bizId, { ...empty, ...this.priors.get(row.bizId), userId: row.userId, debtNum: row.num });
    }
    for (const [anchor, income] of decision.incomes)
      this.incomes.set(anchor, (this.incomes.get(anchor) ?? 0n) + income);
    return decision;
  }
}

/** BigInt, since the sum of many accounts may exceed the safe integers. */
const sum = (numbers: number[]) => numbers.reduce((a, b) => a + BigInt(b), 0n);
const batches = fc.array(fc.array(command, { maxLength: 12 }), { maxLength: 8 });

describe("the ledger's decision", () => {
  test("no balance and no debt is ever below zero, and no amount in the books is zero, fractional or unsafe", () => {
    fc.assert(
      fc.property(batches, (all) => {
        const store = new Store();
        for (const batch of all) {
          store.apply(batch);
          for (const { balance, debt } of store.accounts.values()) {
            expect(balance).toBeGreaterThanOrEqual(0);
            expect(debt).toBeGreaterThanOrEqual(0);
          }
        }
        for (const { num } of [...store.trades, ...store.debts])
          expect(Number.isSafeInteger(num) && num !== 0).toBe(true);
      }),
    );
  });

  test("every balance is the sum of the account's valid trades, every debt the sum of its debt rows", () => {
    fc.assert(
      fc.property(batches, (all) => {
        const store = new Store();
        for (const batch of all) store.apply(batch);
        for (const { userId, balance, debt } of store.accounts.values()) {
          expect(BigInt(balance)).toBe(
            sum(store.trades.filter((row) => row.userId === userId && row.status === 1).map(({ num }) => num)),
          );
          expect(BigInt(debt)).toBe(sum(store.debts.filter((row) => row.userId === userId).map(({ num }) => num)));
        }
      }),
    );
  });

  test("recharged + adjusted − refunded = balances + gifts sent, and gifts sent = anchors' income + platform's share, in points", () => {
    fc.assert(
      fc.property(batches, (all) => {
        const store = new Store();
        for (const batch of all) store.apply(batch);
        const valid = store.trades.filter(({ status }) => status === 1);
        const ofType = (type: number) => sum(valid.filter((row) => row.type === type).map(({ num }) => num));
        const balances = sum([...store.accounts.values()].map(({ balance }) => balance));
        expect(ofType(1) + ofType(3) + ofType(2)).toBe(balances - ofType(0));
        const charged = sum([...store.accounts.values()].map(({ totalCharged }) => totalCharged));
        expect(charged).toBe(ofType(1));
        const incomes = [...store.incomes.values()].reduce((a, b) => a + b, 0n);
        const gifts = valid.filter(({ type }) => type === 0);
        const platform = sum(gifts.map(({ num, incomePoints }) => -num * 100 - incomePoints));
        expect(-ofType(0) * 100n).toBe(incomes + platform);
        expect(platform >= 0n).toBe(true);
      }),
    );
  });

  test("a repeated batch changes nothing and gets its first outcomes", () => {
    fc.assert(
      fc.property(batches, fc.array(command, { maxLength: 12 }), (before, batch) => {
        // What would overflow an account is refused without a row and may succeed later: it is no repeat.
        const overflows = (one: Command) => "coins" in one && one.coins > 1000;
        fc.pre(![...before.flat(), ...batch].some(overflows));
        const money = batch.filter(({ kind }) => kind !== "freeze" && kind !== "unfreeze");
        const store = new Store();
        for (const earlier of before) store.apply(earlier);
        const first = store.apply(money);
        const again = store.apply(money);
        expect(again.trades).toEqual([]);
        expect(again.debts).toEqual([]);
        expect([...again.incomes]).toEqual([]);
        const word = (o: (typeof first.outcomes)[number]) =>
          o.status === "done"
            ? ["done", o.incomePoints, o.balanceAfter]
            : o.reason === "idempotencyConflict" || o.reason === "invalidParam" || o.reason === "giftToSelf"
              ? [o.reason]
              : [o.reason, o.balanceAfter];
        expect(again.outcomes.map(word)).toEqual(first.outcomes.map(word));
      }),
    );
  });

  test("deciding one by one gives the same books as deciding together", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        const together = new Store();
        together.apply(commands);
        const single = new Store();
        for (const one of commands) single.apply([one]);
        expect(single.trades).toEqual(together.trades);
        expect([...single.accounts]).toEqual([...together.accounts]);
      }),
    );
  });

  const gift = (over: Partial<Extract<Command, { kind: "gift" }>> = {}): Command => ({
    ...{ kind: "gift", bizId: "g1", userId: "11", receiverId: "12", amount: 40, incomePoints: 2_000 },
    ...over,
  });

  test("a gift beyond the balance is a rejected row without money", () => {
    const decision = decide(new Map([["11", account("11", { balance: 39 })]]), new Map(), [gift()]);
    expect(decision.outcomes[0]).toMatchObject({ status: "refused", reason: "balanceShort", balanceAfter: 39 });
    expect(decision.trades).toMatchObject([
      { num: -40, status: 0, incomePoints: 0, balanceAfter: 39, reason: "balanceShort" },
    ]);
    expect(decision.changed).toEqual([]);
    expect(decision.incomes.size).toBe(0);
  });

  test.each([0, 2])(
    "a gift that was accepted is charged to an account with status %i, and what was paid for is credited to it",
    (status) => {
      const decision = decide(new Map([["11", account("11", { balance: 100, status })]]), new Map(), [
        gift(),
        { kind: "recharge", bizId: "p1", userId: "11", coins: 7 },
      ]);
      expect(decision.outcomes[0]).toMatchObject({ status: "done", incomePoints: 2_000, balanceAfter: 60 });
      expect(decision.outcomes[1]).toMatchObject({ status: "done", balanceAfter: 67 });
      expect(decision.changed).toMatchObject([{ status }]);
    },
  );

  test("the same business id with other content is a conflict and moves nothing", () => {
    const decision = decide(new Map([["11", account("11", { balance: 100 })]]), new Map(), [
      gift(),
      gift({ amount: 41 }),
      gift({ receiverId: "13" }),
    ]);
    expect(decision.outcomes.slice(1)).toMatchObject([
      { reason: "idempotencyConflict" },
      { reason: "idempotencyConflict" },
    ]);
    expect(decision.changed).toMatchObject([{ balance: 60 }]);
  });

  test("what a refund cannot take back is a debt, which the next recharge pays off first", () => {
    const store = new Store();
    store.apply([
      { kind: "recharge", bizId: "p1", userId: "11", coins: 100 },
      gift({ amount: 70, incomePoints: 3_500 }),
    ]);
    store.apply([{ kind: "refund", bizId: "refund:p1", userId: "11", coins: 100 }]);
    expect(store.accounts.get("11")).toMatchObject({ balance: 0, debt: 70 });
    store.apply([{ kind: "recharge", bizId: "p2", userId: "11", coins: 50 }]);
    expect(store.accounts.get("11")).toMatchObject({ balance: 0, debt: 20, totalCharged: 150 });
    store.apply([{ kind: "recharge", bizId: "p3", userId: "11", coins: 50 }]);
    expect(store.accounts.get("11")).toMatchObject({ balance: 30, debt: 0 });
    expect(store.debts.map(({ bizId }) => bizId)).toEqual(["refund:p1", debtPaymentId("p2"), debtPaymentId("p3")]);
  });

  test("a refund that can take nothing back is a row that moves nothing and a debt; a repeat adds none", () => {
    const store = new Store();
    const refund: Command = { kind: "refund", bizId: "refund:p1", userId: "11", coins: 40 };
    store.apply([{ kind: "recharge", bizId: "p1", userId: "11", coins: 40 }, gift()]);
    store.apply([refund]);
    expect(store.trades.at(-1)).toMatchObject({ bizId: "refund:p1", num: -40, status: 0, balanceAfter: 0 });
    expect(store.debts).toMatchObject([{ bizId: "refund:p1", num: 40 }]);
    const again = store.apply([refund, { ...refund, coins: 41 }]);
    expect(again.outcomes).toMatchObject([
      { status: "done", repeated: true, balanceAfter: 0 },
      { status: "refused", reason: "idempotencyConflict" },
    ]);
    expect([...again.trades, ...again.debts]).toEqual([]);
  });

  test("a refund that an earlier release noted as a debt alone is known again", () => {
    const empty = { num: 0, valid: true, reason: null, counterpartyId: null, incomePoints: 0, balanceAfter: 0 };
    const priors = new Map([["refund:p1", { ...empty, userId: "11", debtNum: 40 }]]);
    const refund: Command = { kind: "refund", bizId: "refund:p1", userId: "11", coins: 40 };
    const decision = decide(new Map([["11", account("11", { debt: 40 })]]), priors, [refund]);
    expect(decision.outcomes).toMatchObject([{ status: "done", repeated: true }]);
    expect([...decision.trades, ...decision.debts]).toEqual([]);
  });

  test.each([1, 2])("a credit and an adjustment move coins of an account with status %i", (status) => {
    const store = new Store();
    store.accounts.set("11", account("11", { status }));
    const { outcomes } = store.apply([
      { kind: "credit", bizId: platformBizId("credit", "a"), userId: "11", coins: 7 },
      { kind: "adjust", bizId: platformBizId("adjust", "b"), userId: "11", coins: -5 },
      { kind: "adjust", bizId: platformBizId("adjust", "c"), userId: "11", coins: 3 },
    ]);
    expect(outcomes).toMatchObject([{ balanceAfter: 7 }, { balanceAfter: 2 }, { balanceAfter: 5 }]);
    expect(store.accounts.get("11")).toMatchObject({ balance: 5, totalCharged: 7, status });
    expect(store.trades.map(({ type, num }) => [type, num])).toEqual([
      [1, 7],
      [3, -5],
      [3, 3],
    ]);
  });

  test.each([
    ["credit", platformBizId("credit", "x"), 120],
    ["adjust", platformBizId("adjust", "x"), 0],
  ] as const)("what a %s gives pays debts off first", (kind, id, charged) => {
    const store = new Store();
    store.accounts.set("11", account("11", { debt: 70, totalCharged: 0 }));
    store.debts.push({ userId: "11", num: 70, bizId: "refund:p1" });
    const first = store.apply([{ kind, bizId: id, userId: "11", coins: 50 }]);
    expect(first.outcomes).toMatchObject([{ status: "done", balanceAfter: 50 }]);
    expect(store.accounts.get("11")).toMatchObject({ balance: 0, debt: 20 });
    store.apply([{ kind, bizId: `${id}y`, userId: "11", coins: 70 }]);
    expect(store.accounts.get("11")).toMatchObject({ balance: 50, debt: 0, totalCharged: charged });
    expect(store.debts.slice(1)).toEqual([
      { userId: "11", num: -50, bizId: debtPaymentId(id) },
      { userId: "11", num: -20, bizId: debtPaymentId(`${id}y`) },
    ]);
    const again = store.apply([{ kind, bizId: id, userId: "11", coins: 50 }]);
    expect(again.outcomes).toMatchObject([{ status: "done", repeated: true, balanceAfter: 50 }]);
  });

  test("an adjustment that takes coins leaves the debt as it is", () => {
    const store = new Store();
    store.accounts.set("11", account("11", { balance: 30, debt: 70 }));
    store.apply([{ kind: "adjust", bizId: "a1", userId: "11", coins: -30 }]);
    expect(store.accounts.get("11")).toMatchObject({ balance: 0, debt: 70 });
  });

  test("an adjustment below zero is a rejected row, and a repeat is rejected too, whatever the account has by then", () => {
    const store = new Store();
    store.accounts.set("11", account("11", { balance: 9 }));
    const take: Command = { kind: "adjust", bizId: "a1", userId: "11", coins: -10 };
    const rejected = { status: "refused", reason: "balanceShort", balanceAfter: 9 };
    expect(store.apply([take]).outcomes).toMatchObject([rejected]);
    expect(store.trades).toMatchObject([{ num: -10, type: 3, status: 0, reason: "balanceShort", balanceAfter: 9 }]);
    store.apply([{ kind: "recharge", bizId: "p1", userId: "11", coins: 100 }]);
    expect(store.apply([take]).outcomes).toMatchObject([{ ...rejected, repeated: true }]);
    expect(store.accounts.get("11")?.balance).toBe(109);
    expect(store.apply([{ ...take, bizId: "a2", coins: -109 }]).outcomes).toMatchObject([{ balanceAfter: 0 }]);
  });

  test.each(["credit", "adjust"] as const)(
    "a %s that would make the balance unsafe is a rejected row, and a repeat is rejected too, whatever the account has by then",
    (kind) => {
      const store = new Store();
      store.accounts.set("11", account("11", { balance: 9 }));
      const give: Command = { kind, bizId: platformBizId(kind, "x"), userId: "11", coins: Number.MAX_SAFE_INTEGER };
      const rejected = { status: "refused", reason: "invalidParam", balanceAfter: 9 };
      expect(store.apply([give]).outcomes).toMatchObject([rejected]);
      expect(store.trades).toMatchObject([{ status: 0, reason: "invalidParam", balanceAfter: 9 }]);
      store.apply([{ kind: "adjust", bizId: "a1", userId: "11", coins: -9 }]);
      expect(store.apply([give]).outcomes).toMatchObject([{ ...rejected, repeated: true }]);
      expect(store.accounts.get("11")).toMatchObject({ balance: 0, totalCharged: 0 });
    },
  );

  test("a paid order that would make the balance unsafe leaves no row: it is credited when there is room", () => {
    const store = new Store();
    store.accounts.set("11", account("11", { balance: 9 }));
    const paid: Command = { kind: "recharge", bizId: "p1", userId: "11", coins: Number.MAX_SAFE_INTEGER };
    expect(store.apply([paid]).outcomes).toMatchObject([{ status: "refused", reason: "invalidParam" }]);
    expect(store.trades).toEqual([]);
  });

  test.each([0, 0.5, Number.NaN, -(2 ** 53), 2 ** 53])(
    "an adjustment of %p is no amount and is refused without a row",
    (coins) => {
      const decision = decide(new Map([["11", account("11", { balance: 1 })]]), new Map(), [
        { kind: "adjust", bizId: "a1", userId: "11", coins },
      ]);
      expect(decision.outcomes).toMatchObject([{ status: "refused", reason: "invalidParam" }]);
      expect([...decision.trades, ...decision.changed]).toEqual([]);
    },
  );

  test("a gift under the business id of an adjustment is never taken for it", () => {
    const decision = decide(new Map([["11", account("11", { balance: 100 })]]), new Map(), [
      gift({ bizId: platformBizId("adjust", "x"), amount: 40 }),
      { kind: "adjust", bizId: platformBizId("adjust", "x"), userId: "11", coins: -40 },
    ]);
    expect(decision.outcomes[1]).toMatchObject({ status: "refused", reason: "idempotencyConflict" });
  });

  test("the anchor's share is exact in points, never more than the gift, and its whole coins are the points rounded down", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 ** 13 }), fc.integer({ min: 0, max: 100 }), (coins, percent) => {
        const points = sharePoints(coins, percent);
        expect(Number.isSafeInteger(points)).toBe(true);
        expect(BigInt(points)).toBe(BigInt(coins) * BigInt(percent));
        expect(BigInt(wholeCoins(points))).toBe((BigInt(coins) * BigInt(percent)) / 100n);
      }),
    );
    expect([-1, -100, -101, 0, 99].map(wholeCoins)).toEqual([-1, -1, -2, 0, 0]);
  });

  test("an anchor's income is the exact sum of random gifts with random shares, however they are cut into batches", () => {
    const gifts = fc.array(
      fc.record({
        receiverId: fc.constantFrom("21", "22"),
        amount: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 10 ** 13 })),
        percent: fc.integer({ min: 0, max: 100 }),
        cut: fc.boolean(),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(gifts, (all) => {
        const store = new Store();
        store.accounts.set("11", account("11", { balance: Number.MAX_SAFE_INTEGER }));
        const expected = new Map<string, bigint>();
        let batch: Command[] = [];
        for (const [at, { receiverId, amount: coins, percent, cut }] of all.entries()) {
          const incomePoints = sharePoints(coins, percent);
          batch.push({ ...gift({ bizId: `g-${at}`, receiverId, amount: coins }), incomePoints } as Command);
          const earned = BigInt(coins) * BigInt(percent);
          if (earned > 0n) expected.set(receiverId, (expected.get(receiverId) ?? 0n) + earned);
          if (cut) batch = store.apply(batch) && [];
        }
        store.apply(batch);
        expect(store.trades.every(({ status }) => status === 1)).toBe(true);
        expect(new Map([...store.incomes].sort())).toEqual(new Map([...expected].sort()));
      }),
    );
  });

  test("a hundred gifts of 1 coin at 50 % earn 50 coins", () => {
    const store = new Store();
    store.accounts.set("11", account("11", { balance: 100 }));
    store.apply(
      Array.from({ length: 100 }, (_, at) => gift({ bizId: `g-${at}`, amount: 1, incomePoints: sharePoints(1, 50) })),
    );
    expect(store.incomes.get("12")).toBe(5_000n);
  });

  test("the income of an anchor from one batch is exact beyond the safe integers", () => {
    const rich = ["11", "13"].map((id) => account(id, { balance: 9 * 10 ** 13 }));
    const huge = { amount: 9 * 10 ** 13, incomePoints: 9 * 10 ** 15 - 100 };
    const decision = decide(new Map(rich.map((one) => [one.userId, one])), new Map(), [
      gift(huge),
      gift({ ...huge, bizId: "g2", userId: "13" }),
    ]);
    expect(decision.incomes.get("12")).toBe(2n * (9n * 10n ** 15n - 100n));
  });

  test.each([
    ["more than the gift", { amount: 40, incomePoints: 4_001 }],
    ["below zero", { amount: 40, incomePoints: -1 }],
    ["a fraction", { amount: 40, incomePoints: 0.5 }],
    ["not a number", { amount: 40, incomePoints: Number.NaN }],
    ["of a gift whose points are not safe", { amount: Number.MAX_SAFE_INTEGER, incomePoints: 0 }],
  ])("a share that is %s is refused without a row", (_what, over) => {
    const decision = decide(new Map([["11", account("11", { balance: Number.MAX_SAFE_INTEGER })]]), new Map(), [
      gift(over),
    ]);
    expect(decision.outcomes).toMatchObject([{ status: "refused", reason: "invalidParam" }]);
    expect(decision.trades).toEqual([]);
  });

  test("an account that was not loaded is a fault, never an empty account", () => {
    expect(() => decide(new Map(), new Map(), [gift()])).toThrow(/not loaded/);
  });
});
