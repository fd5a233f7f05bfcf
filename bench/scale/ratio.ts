import { median, rounded } from "../support/percentiles.ts";

interface Rated {
  /** Gifts a second. */
  readonly rate: number;
}

/** The rates on large books beside those on small ones, burst by burst of each round; and their median. Pure. */
export function ratioOf(large: readonly Rated[], small: readonly Rated[]) {
  const archivedRatios = large.map(({ rate }, round) => rounded(rate / (small[round] as Rated).rate, 2));
  return { archivedRatio: median(archivedRatios), archivedRatios };
}
