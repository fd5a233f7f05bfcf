/** Income is counted in whole points: a whole percent of a whole number of coins is always a whole number of points. */
export const pointsPerCoin = 100;

/** A whole percent, 0 to 100. */
export function isPercent(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 100;
}

/** A valid amount of points: above zero, whole, safe. */
export function isPoints(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** `percent` of `coins`, in points; exact while `coins * 100` is a safe integer. */
export function sharePoints(coins: number, percent: number): number {
  return coins * percent;
}

/** Points in whole coins, rounded down, also below zero. For display alone: points decide. */
export function wholeCoins(points: number): number {
  return Math.floor(points / pointsPerCoin);
}
