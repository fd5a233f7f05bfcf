/** Income is counted in points, whole ones: a share in percent of any whole number of coins is a whole number of them. */
export const pointsPerCoin = 100;

/** A whole percent, 0 to 100. */
export function isPercent(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 100;
}

/** An amount of points that may be moved: above zero, whole, safe. */
export function isPoints(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** What a share of `percent` of so many coins is, in points: exact, as long as `coins * 100` is a safe integer. */
export function sharePoints(coins: number, percent: number): number {
  return coins * percent;
}

/** Points as whole coins, rounded down, also below zero: for display. Nothing is decided by it. */
export function wholeCoins(points: number): number {
  return Math.floor(points / pointsPerCoin);
}
