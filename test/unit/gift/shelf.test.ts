import { Shelf } from "../../../services/gift/shelf.ts";

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
  const shelf = new Shelf(source, async () => JSON.stringify([...table.values()]));
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
  return { table, shelf, reads: () => reads, hold };
}

describe("the shelf", () => {
  test("a gift is read once and remembered", async () => {
    const { shelf, reads } = setUp();
    await shelf.gift(22);
    expect((await shelf.gift(22))?.price).toBe(90);
    expect(reads()).toBe(1);
  });

  test("a change that was broadcast is seen at the next look", async () => {
    const { shelf, table } = setUp();
    await shelf.gift(22);
    Object.assign(table.get(22) ?? {}, { price: 91 });
    shelf.evict(22);
    expect((await shelf.gift(22))?.price).toBe(91);
  });

  test("a change whose broadcast was lost is found by the check, in gift and list", async () => {
    const { shelf, table } = setUp();
    await shelf.check();
    await shelf.gift(22);
    await shelf.list();
    Object.assign(table.get(22) ?? {}, { status: 0 });
    await shelf.check();
    expect((await shelf.gift(22))?.status).toBe(0);
    expect(await shelf.list()).toEqual([]);
  });

  test("what was read before an eviction is not remembered after it", async () => {
    const { shelf, table, hold } = setUp();
    const open = hold();
    const old = shelf.gift(22);
    Object.assign(table.get(22) ?? {}, { price: 91 });
    shelf.evict(22);
    open();
    expect((await old)?.price).toBe(90);
    expect((await shelf.gift(22))?.price).toBe(91);
  });
});
