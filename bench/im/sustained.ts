export interface Probe<Run> {
  holds: boolean;
  run: Run;
}

interface Search {
  /** The rate to begin with. */
  first: number;
  /** How near the rate that does not hold may be to the one that does, e.g. 1.15. */
  within: number;
  /** Rates above are not tried. */
  most: number;
}

const readable = (rate: number) => Number(rate.toPrecision(2));

/**
 * The run at the highest rate that holds: doubled until one does not, then in between. A rate does not hold where it
 * failed twice, so that a moment's hiccup of the machine is not a limit. `undefined` where not even a rate of 1 holds.
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
