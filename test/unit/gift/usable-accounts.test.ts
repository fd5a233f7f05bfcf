import { limits } from "../../../config/limits.ts";
import { UsableAccounts } from "../../../services/gift/usable-accounts.ts";

/** What the cache reads the time from. */
let now = 1_000_000;
let frozen: string[] = [];
const ask = jest.fn(async (userIds: string[]) => ({ userIds: userIds.filter((id) => frozen.includes(id)) }));

beforeEach(() => {
  frozen = [];
  ask.mockClear();
  jest.useFakeTimers({ doNotFake: ["performance", "setImmediate"] });
  jest.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

test("an account that is usable is asked for once and then remembered, for less than a second", async () => {
  expect(limits.gift.accountCacheMs).toBeLessThan(1_000);
  const accounts = new UsableAccounts(ask);
  expect([await accounts.has("7"), await accounts.has("7")]).toEqual([true, true]);
  expect(ask).toHaveBeenCalledTimes(1);
  frozen = ["7"];
  now += limits.gift.accountCacheMs + 1;
  // The cache reuses a clock reading for some milliseconds.
  jest.runOnlyPendingTimers();
  expect(await accounts.has("7")).toBe(false);
});

test("one that is not is asked for each time: an unfreeze counts at once", async () => {
  const accounts = new UsableAccounts(ask);
  frozen = ["7"];
  expect(await accounts.has("7")).toBe(false);
  frozen = [];
  expect(await accounts.has("7")).toBe(true);
});

test("what is asked for together is one call, and each gets its own answer", async () => {
  const accounts = new UsableAccounts(ask);
  frozen = ["8"];
  expect(await Promise.all(["7", "8", "7", "9"].map((id) => accounts.has(id)))).toEqual([true, false, true, true]);
  expect(ask.mock.calls).toEqual([[["7", "8", "9"]]]);
});

test("an account that changed is asked for again at once, and an answer that was on its way then is not remembered", async () => {
  const { promise, resolve } = Promise.withResolvers<{ userIds: string[] }>();
  ask.mockImplementationOnce(() => promise);
  const accounts = new UsableAccounts(ask);
  const asked = accounts.has("7");
  accounts.forget("7");
  frozen = ["7"];
  resolve({ userIds: [] });
  expect(await asked).toBe(true);
  expect(await accounts.has("7")).toBe(false);
  frozen = [];
  expect(await accounts.has("7")).toBe(true);
  frozen = ["7"];
  accounts.forget("7");
  expect(await accounts.has("7")).toBe(false);
});
