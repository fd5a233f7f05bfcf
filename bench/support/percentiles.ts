/** The percentile of the samples by nearest rank, without buckets or interpolation. NaN where there are no samples. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const rank = Math.ceil(sorted.length * share);
  return sorted[Math.min(sorted.length, Math.max(1, rank)) - 1] as number;
}

export function sortedNumbers(samples: readonly number[]): Float64Array {
  return Float64Array.from(samples).sort();
}

/** The median; the mean of the two middle samples where their number is even, NaN where there are none. */
export function median(samples: readonly number[]): number {
  const sorted = sortedNumbers(samples);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
