/**
 * Whether a move of `coins` needs another person: with what was moved by hand on the same account in the last 24 hours
 * (`moved`, magnitudes of both signs added up) it exceeds the bound. A sum that is not safe exceeds every one.
 */
export function needsApproval(moved: bigint, coins: number, bound: number): boolean {
  return moved + BigInt(Math.abs(coins)) > BigInt(bound);
}
