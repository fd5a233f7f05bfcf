import { limits } from "../../../config/limits.ts";
import { AnchorCache } from "../../../services/gift/anchor-cache.ts";

/** What the cache reads the time from. */
let now = 1_000_000;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ["performance"] });
  jest.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

test("a live room's anchor is asked for once and then remembered, no longer than its time", async () => {
  const cache = new AnchorCache();
  const ask = jest.fn(async () => "7");
  expect([await cache.anchorOf(1, ask), await cache.anchorOf(1, ask)]).toEqual(["7", "7"]);
  expect(ask).toHaveBeenCalledTimes(1);
  now += limits.gift.anchorCacheMs + 1;
  // The cache keeps its idea of the time for a moment.
  jest.runOnlyPendingTimers();
  await cache.anchorOf(1, ask);
  expect(ask).toHaveBeenCalledTimes(2);
});

test("a room that is not live is asked for each time: it may open at any moment", async () => {
  const cache = new AnchorCache();
  const ask = jest.fn(async () => undefined);
  await cache.anchorOf(1, ask);
  await cache.anchorOf(1, ask);
  expect(ask).toHaveBeenCalledTimes(2);
});

test("a room that changed is asked for again at once", async () => {
  const cache = new AnchorCache();
  await cache.anchorOf(1, async () => "7");
  cache.forget(1);
  expect(await cache.anchorOf(1, async () => undefined)).toBeUndefined();
});

test("an answer that was on its way while its room changed is used once and not remembered", async () => {
  const cache = new AnchorCache();
  const { promise, resolve } = Promise.withResolvers<string>();
  const asked = cache.anchorOf(1, () => promise);
  cache.forget(1);
  resolve("7");
  expect(await asked).toBe("7");
  expect(await cache.anchorOf(1, async () => "8")).toBe("8");
});
