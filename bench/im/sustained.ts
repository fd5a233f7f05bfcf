export interface Probe<Run> {
  holds: boolean;
  run: Run;
}

interface Search {
  /** The first rate. */
  first: number;
  /** The largest ratio between the lowest failed and the highest sustained rate, e.g. 1.15. */
  within: number;
  /** The highest rate that is tried. */
  most: number;
}

const readable = (rate: number) => Number(rate.toPrecision(2));

/**
 * The run at the highest sustained rate: the rate is doubled until it fails, then bisected. A rate fails where it failed
 * twice, so that one pause of the machine does not count. `undefined` where not even a rate of 1 is sustained.
 */
export async function highestSustained<Run>(
  probe: (rate: number) => Promise<Probe<Run>>,
  { first, within, most }: Search,
): Promise<Run | undefined> {
  let best: { rate: number; run: Run } | undefined;
  let tooHigh = Number.POSITIVE_INFINITY;
  const tryRate = async (rate: number) => {
    for (let attempt = 0; attempt < 2; attempt++) {
      const { holds, run } = await probe(rate);
      if (!holds) continue;
      best = { rate, run };
      return;
    }
    tooHigh = rate;
  };
  for (let rate = Math.min(first, most); rate >= 1; rate = best ? Math.min(most, best.rate * 2) : readable(rate / 2)) {
    await tryRate(rate);
    if (best && (tooHigh < Number.POSITIVE_INFINITY || best.rate === most)) break;
  }
  while (best && tooHigh < Number.POSITIVE_INFINITY && tooHigh / best.rate > within) {
    const between = readable(Math.sqrt(best.rate * tooHigh));
    if (between <= best.rate || between >= tooHigh) break;
    await tryRate(between);
  }
  return best?.run;
}
