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
  let reads = 0;
  let gate: Promise<void> | undefined;
  const source = {
    async byId(id: number) {
      reads++;
      const row = table.get(id) ?? null;
      const copy = row && { ...row };
      await gate;
      return copy;
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
  return { table, cache, reads: () => reads, hold };
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

  test("what was read before an eviction is not remembered after it", async () => {
    const { cache, table, hold } = setUp();
    const open = hold();
    const old = cache.gift(22);
    Object.assign(table.get(22) ?? {}, { price: 91 });
    cache.evict(22);
    open();
    expect((await old)?.price).toBe(90);
    expect((await cache.gift(22))?.price).toBe(91);
  });
});
