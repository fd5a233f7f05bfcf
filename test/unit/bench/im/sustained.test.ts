import { highestSustained } from "../../../../bench/im/sustained.ts";

/** A search among servers that sustain so much; answers with the rate, and notes what was tried. */
async function search(limit: number, { first = 100, most = 100_000, hiccups = new Set<number>() } = {}) {
  const tried: number[] = [];
  const probe = async (rate: number) => {
    tried.push(rate);
    return { holds: rate <= limit && !hiccups.delete(rate), run: rate };
  };
  return { rate: await highestSustained(probe, { first, within: 1.15, most }), tried };
}

describe("the search for the highest sustained rate", () => {
  it.each([3, 40, 99, 100, 101, 777, 5_000, 49_000])("comes within 15 %% of %d, from below", async (limit) => {
    const { rate, tried } = await search(limit);
    expect(rate).toBeLessThanOrEqual(limit);
    expect(rate as number).toBeGreaterThan(limit / 1.15 - 1);
    expect(tried.length).toBeLessThan(20);
  });

  it("tries no rate above the highest", async () => {
    expect(await search(1_000_000, { first: 100, most: 500 })).toEqual({ rate: 500, tried: [100, 200, 400, 500] });
    expect(await search(1_000_000, { first: 100, most: 50 })).toEqual({ rate: 50, tried: [50] });
  });

  it("ends without a rate where none is sustained", async () => {
    expect((await search(0, { first: 8 })).rate).toBeUndefined();
  });

  it("a rate that fails once and is sustained the next time is no limit", async () => {
    expect((await search(400, { hiccups: new Set([200]) })).rate).toBe(400);
  });

  it("a rate that fails twice is not tried again", async () => {
    const { tried } = await search(150);
    expect(tried.filter((rate) => rate === 200)).toHaveLength(2);
  });
});
