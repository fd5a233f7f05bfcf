import { median, percentile, rounded, sortedNumbers } from "../../../bench/support/percentiles.ts";

describe("percentiles", () => {
  const hundred = sortedNumbers(Array.from({ length: 100 }, (_, i) => 100 - i));

  it("are samples themselves, by nearest rank", () => {
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 0.999)).toBe(100);
    expect(percentile(hundred, 1)).toBe(100);
    expect(percentile(hundred, 0)).toBe(1);
  });

  it("sort by value, not by text", () => {
    expect(percentile(sortedNumbers([9, 10, 100, 2]), 1)).toBe(100);
    expect(percentile(sortedNumbers([9, 10, 100, 2]), 0.25)).toBe(2);
  });

  it("of one sample are that sample, of none are NaN", () => {
    expect(percentile(sortedNumbers([7]), 0.01)).toBe(7);
    expect(percentile(sortedNumbers([]), 0.5)).toBeNaN();
  });

  it("the median of an even number of samples is the mean of the two in the middle", () => {
    expect(median([4, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it("rounding keeps the given number of digits", () => {
    expect(rounded(2 / 3, 2)).toBe(0.67);
    expect(rounded(12.0004, 2)).toBe(12);
  });
});
