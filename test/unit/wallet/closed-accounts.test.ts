import { decide } from "../../../services/wallet/ledger.ts";
import type { Account, Command } from "../../../services/wallet/posting.ts";

/** The account of an erased user: closed for ever, and its postings stay. */

const account = (over: Partial<Account> = {}): Account => ({
  ...{ userId: "11", balance: 0, totalCharged: 0, debt: 0, status: 1, ...over },
});
const decided = (of: Account, command: Command) => decide(new Map([["11", of]]), new Map(), [command]);
const close = (of: Account, giveUp = false) => decided(of, { kind: "close", userId: "11", giveUp });

test.each([1, 2])("an account of status %i without coins or debt is closed, and moves nothing", (status) => {
  const { outcomes, changed, trades } = close(account({ status }));
  expect([outcomes[0]?.status, changed[0]?.status, trades]).toEqual(["done", 0, []]);
});

test("coins keep it open unless they are given up, and then stay in it; a debt always does", () => {
  expect(close(account({ balance: 5 })).outcomes[0]).toMatchObject({ status: "refused", reason: "erasureBlocked" });
  expect(close(account({ balance: 5 }), true).changed[0]).toMatchObject({ balance: 5, status: 0 });
  expect(close(account({ debt: 5 }), true).outcomes[0]).toMatchObject({ status: "refused", reason: "erasureBlocked" });
});

test("a repeat changes nothing, and nobody freezes or unfreezes it", () => {
  const closed = account({ status: 0 });
  expect(close(closed)).toMatchObject({ outcomes: [{ status: "done", repeated: true }], changed: [] });
  for (const kind of ["freeze", "unfreeze"] as const)
    expect(decided(closed, { kind, userId: "11", reason: "r" }).outcomes[0]).toMatchObject({
      reason: "accountUnusable",
    });
});

test("nothing is given to it but what was paid for; the refusal is in the ledger, so that a repeat gets it", () => {
  const closed = account({ status: 0, balance: 5 });
  for (const kind of ["credit", "adjust"] as const) {
    const { outcomes, trades, changed } = decided(closed, { kind, bizId: `${kind}-1`, userId: "11", coins: 5 });
    expect([outcomes[0], trades[0]?.status, changed]).toMatchObject([{ reason: "accountUnusable" }, 0, []]);
  }
  expect(decided(closed, { kind: "adjust", bizId: "a", userId: "11", coins: -5 }).outcomes[0]).toMatchObject({
    ...{ status: "done", balanceAfter: 0 },
  });
  expect(decided(closed, { kind: "recharge", bizId: "r", userId: "11", coins: 5 }).outcomes[0]).toMatchObject({
    ...{ status: "done", balanceAfter: 10 },
  });
});
