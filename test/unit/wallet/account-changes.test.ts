import { sortChanges } from "../../../services/wallet/account-changes.ts";
import type { Account } from "../../../services/wallet/posting.ts";

const account = (userId: string, over: Partial<Account> = {}): Account => ({
  ...{ userId, balance: 100, totalCharged: 100, debt: 0, status: 1 },
  ...over,
});
const books = (...ids: string[]) => new Map(ids.map((id) => [id, account(id)]));

describe("changes of accounts", () => {
  test("balances that change by one amount, as many as it takes, are written together", () => {
    const changed = [account("1", { balance: 90 }), account("2", { balance: 90 }), account("3", { balance: 80 })];
    expect(sortChanges(books("1", "2", "3"), changed, 2)).toEqual({
      alike: new Map([[-10, ["1", "2"]]]),
      apart: [account("3", { balance: 80 })],
    });
  });

  test.each([
    ["what was charged", { totalCharged: 110 }],
    ["the debt", { debt: 1 }],
    ["the status", { status: 2 }],
  ])("an account of which %s changes too is written apart", (_what, over) => {
    const changed = [account("1", { balance: 90, ...over }), account("2", { balance: 90 })];
    expect(sortChanges(books("1", "2"), changed, 1)).toEqual({ alike: new Map([[-10, ["2"]]]), apart: [changed[0]] });
  });

  test("fewer than it takes are written apart, whatever they change by", () => {
    const changed = [account("1", { balance: 90 }), account("2", { balance: 110 })];
    expect(sortChanges(books("1", "2"), changed, 2)).toEqual({ alike: new Map(), apart: changed });
  });
});
