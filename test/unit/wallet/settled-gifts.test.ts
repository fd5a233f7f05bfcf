import { restoredCoinsId } from "../../../services/wallet/business-ids.ts";
import { decide } from "../../../services/wallet/ledger.ts";
import type { Account, Command, Prior, SettledAs } from "../../../services/wallet/posting.ts";

/** Gifts that were settled before the database was lost, as a restore gives them to the ledger. */

const account = (balance: number): Map<string, Account> =>
  new Map([["11", { userId: "11", balance, totalCharged: balance, debt: 0, status: 1 }]]);
const none: ReadonlyMap<string, Prior> = new Map();
const gift = (settledAs: SettledAs): Command => ({
  ...{ kind: "gift", bizId: "o1", userId: "11", receiverId: "12", amount: 100, incomePoints: 5_000, settledAs },
});

test("a gift that failed fails again, although the coins suffice", () => {
  const { outcomes, trades, incomes } = decide(account(500), none, [gift("balanceShort")]);
  expect(outcomes[0]).toMatchObject({ status: "refused", reason: "balanceShort" });
  expect(trades).toMatchObject([{ bizId: "o1", status: 0, reason: "balanceShort", balanceAfter: 500 }]);
  expect(incomes.size).toBe(0);
});

test("a gift that succeeded is charged as any other where the coins suffice", () => {
  const { trades, debts } = decide(account(100), none, [gift("succeeded")]);
  expect(trades).toMatchObject([{ bizId: "o1", num: -100, status: 1, balanceAfter: 0 }]);
  expect(debts).toEqual([]);
});

test("where they do not, coins are lent and owed, and the receiver has her share; the lost credit pays them off", () => {
  const credit: Command = { kind: "recharge", bizId: "p1", userId: "11", coins: 80 };
  const { trades, debts, changed, incomes } = decide(account(40), none, [gift("succeeded"), credit]);
  expect(trades.map(({ bizId, num, type }) => [bizId, num, type])).toEqual([
    [restoredCoinsId("o1"), 60, 3],
    ["o1", -100, 0],
    ["p1", 80, 1],
    ["debt:p1", -60, 2],
  ]);
  expect(debts.map(({ bizId, num }) => [bizId, num])).toEqual([
    [restoredCoinsId("o1"), 60],
    ["debt:p1", -60],
  ]);
  expect(changed).toMatchObject([{ balance: 20, debt: 0 }]);
  expect(incomes.get("12")).toBe(5_000n);
});

test("a gift that is in the books stays as it is", () => {
  const prior = { userId: "11", num: -100, valid: true, reason: null, counterpartyId: "12", incomePoints: 5_000 };
  const { outcomes, trades } = decide(account(0), new Map([["o1", { ...prior, balanceAfter: 0, debtNum: 0 }]]), [
    gift("succeeded"),
  ]);
  expect(outcomes[0]).toMatchObject({ status: "done", repeated: true });
  expect(trades).toEqual([]);
});

test("a debt that no number can hold is refused", () => {
  const poor = account(0);
  (poor.get("11") as Account).debt = Number.MAX_SAFE_INTEGER;
  const { outcomes, trades } = decide(poor, none, [gift("succeeded")]);
  expect(outcomes[0]).toMatchObject({ status: "refused", reason: "invalidParam" });
  expect(trades).toEqual([]);
});
