import { ratioOf } from "../../../bench/scale/ratio.ts";
import { chosenSizes } from "../../../bench/scale/sizes.ts";

describe("the benchmark of scale", () => {
  const pair = [
    { accounts: 1_000_000, trades: 1_000_000 },
    { accounts: 1_000_000, trades: 30_000_000, hot: 3_000_000 },
  ];

  it("measures books of a million trades, and 30 million of which 3 million are hot", () => {
    expect(chosenSizes({ quick: false, archived: false })).toEqual([
      { accounts: 10_000, trades: 1_000_000 },
      { accounts: 100_000, trades: 1_000_000 },
      ...pair,
    ]);
    expect(chosenSizes({ quick: false, archived: true })).toEqual(pair);
  });

  it("the books of which most is archived come last, after smaller ones of as many accounts", () => {
    for (const quick of [false, true]) {
      const [small, large] = chosenSizes({ quick, archived: true });
      expect(small?.hot).toBeUndefined();
      expect(large?.hot).toBe((large?.trades ?? 0) / 10);
      expect(small?.accounts).toBe(large?.accounts);
    }
  });

  it("a number of accounts chooses one size, or a pair of its own", () => {
    expect(chosenSizes({ quick: false, archived: false, accounts: 50 })).toEqual([{ accounts: 50, trades: 500 }]);
    expect(chosenSizes({ quick: false, archived: true, accounts: 50 })).toEqual([
      { accounts: 50, trades: 50 },
      { accounts: 50, trades: 1_500, hot: 150 },
    ]);
  });

  it("compares the bursts of each round, whatever the machine's speed was in it", () => {
    const rates = (...numbers: number[]) => numbers.map((rate) => ({ rate }));
    expect(ratioOf(rates(70, 300, 80), rates(100, 400, 100))).toEqual({
      ...{ archivedRatio: 0.75, archivedRatios: [0.7, 0.75, 0.8] },
    });
  });
});
