import { CatalogueCache } from "../../../services/gift/catalogue-cache.ts";

function setUp() {
  const table = new Map([
    [
      22,
      {
        giftId: 22,
        price: 90,
        giftName: "a",
        status: 1,
        coverImgUrl: "",
        svgaUrl: "",
        createTime: new Date(0),
        updateTime: new Date(0),
      },
    ],
  ]);
  const reads: (readonly number[])[] = [];
  let gate: Promise<void> | undefined;
  const source = {
    async byIds(ids: readonly number[]) {
      reads.push(ids);
      const rows = ids.flatMap((id) => table.get(id) ?? []).map((row) => ({ ...row }));
      await gate;
      return rows;
    },
    find: async () => [...table.values()].filter(({ status }) => status === 1),
  };
  const cache = new CatalogueCache(source, async () => JSON.stringify([...table.values()]));
  const hold = () => {
    let open = () => {};
    gate = new Promise((resolve) => {
      open = resolve;
    });
    return () => {
      gate = undefined;
      open();
    };
  };
  return { table, cache, reads: () => reads.length, asked: () => reads.flat(), hold };
}

describe("the catalogue cache", () => {
  test("a gift is read once and remembered", async () => {
    const { cache, reads } = setUp();
    await cache.gift(22);
    expect((await cache.gift(22))?.price).toBe(90);
    expect(reads()).toBe(1);
  });

  test("a change that was broadcast is seen at the next read", async () => {
    const { cache, table } = setUp();
    await cache.gift(22);
    Object.assign(table.get(22) ?? {}, { price: 91 });
    cache.evict(22);
    expect((await cache.gift(22))?.price).toBe(91);
  });

  test("a change whose broadcast was lost is found by the check, in gift and list", async () => {
    const { cache, table } = setUp();
    await cache.check();
    await cache.gift(22);
    await cache.list();
    Object.assign(table.get(22) ?? {}, { status: 0 });
    await cache.check();
    expect((await cache.gift(22))?.status).toBe(0);
    expect(await cache.list()).toEqual([]);
  });

  test("unknown ids cost few queries: those that are asked for together one, and the same one again none for a while", async () => {
    const { cache, reads } = setUp();
    const ids = Array.from({ length: 100 }, (_, n) => 1_000 + n);
    expect(await Promise.all([...ids, ...ids, 22].map((id) => cache.gift(id)))).toHaveLength(201);
    expect(reads()).toBe(1);
    expect(await cache.gift(1_000)).toBeUndefined();
    expect(reads()).toBe(1);
  });

  test("a new gift whose id was asked for is known after its broadcast, and after the check where that was lost", async () => {
    const { cache, table } = setUp();
    const add = (giftId: number) => table.set(giftId, { ...(table.get(22) as object), giftId } as never);
    await cache.check();
    for (const [giftId, spread] of [
      [23, () => cache.evict(23)],
      [24, () => cache.check()],
    ] as const) {
      expect(await cache.gift(giftId)).toBeUndefined();
      add(giftId);
      await spread();
      expect((await cache.gift(giftId))?.giftId).toBe(giftId);
    }
  });

  test("that a gift was unknown before an eviction is not remembered after it", async () => {
    const { cache, table, hold, asked } = setUp();
    const open = hold();
    const old = cache.gift(23);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(asked()).toEqual([23]);
    table.set(23, { ...(table.get(22) as object), giftId: 23 } as never);
    cache.evict(23);
    open();
    expect(await old).toBeUndefined();
    expect((await cache.gift(23))?.giftId).toBe(23);
  });

  test("what was read before an eviction is not remembered after it", async () => {
    const { cache, table, hold } = setUp();
    const open = hold();
    const old = cache.gift(22);
    // The query begins after this turn of the event loop.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    Object.assign(table.get(22) ?? {}, { price: 91 });
    cache.evict(22);
    open();
    expect((await old)?.price).toBe(90);
    expect((await cache.gift(22))?.price).toBe(91);
  });
});
