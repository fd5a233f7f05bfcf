import { limits } from "../../../config/limits.ts";
import { ShareCache } from "../../../services/gift/share-cache.ts";

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ["setImmediate", "nextTick", "queueMicrotask"] });
  // An age that begins at 0 counts as none.
  jest.advanceTimersByTime(1);
});
afterEach(() => jest.useRealTimers());

function open(shares: Map<string, number>) {
  const looks: string[][] = [];
  const cache = new ShareCache(async (ids) => {
    looks.push(ids);
    return new Map([...shares].filter(([id]) => ids.includes(id)));
  }, 50);
  return { cache, looks };
}

describe("the cache of shares", () => {
  test("are an anchor's own, or the default; concurrent gifts share a query", async () => {
    const { cache, looks } = open(new Map([["7", 60]]));
    const asked = ["7", "8", "7", "9", "8"].map((id) => cache.percentOf(id));
    expect(await Promise.all(asked)).toEqual([60, 50, 60, 50, 50]);
    expect(looks).toEqual([["7", "8", "9"]]);
    expect(await Promise.all(["7", "8"].map((id) => cache.percentOf(id)))).toEqual([60, 50]);
    expect(looks).toHaveLength(1);
  });

  test("are never older than a second, the default included, and 0 % is a share", async () => {
    const shares = new Map<string, number>();
    const { looks, cache } = open(shares);
    expect(await cache.percentOf("7")).toBe(50);
    shares.set("7", 0);
    await jest.advanceTimersByTimeAsync(limits.gift.shareCacheMs + 1);
    expect(await cache.percentOf("7")).toBe(0);
    expect(looks).toHaveLength(2);
    expect(limits.gift.shareCacheMs).toBeLessThan(1_000);
  });

  test("that could not be looked up are asked for again by the next gift", async () => {
    let down = true;
    const cache = new ShareCache(
      () => (down ? Promise.reject(new Error("no database")) : Promise.resolve(new Map())),
      50,
    );
    await expect(cache.percentOf("7")).rejects.toThrow("no database");
    down = false;
    expect(await cache.percentOf("7")).toBe(50);
  });
});
