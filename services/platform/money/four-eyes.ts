/**
 * Whether an adjustment of `coins` is a proposal: with what the server API's keys adjusted on the same account in the last
 * 24 hours (`adjusted`, magnitudes of both signs added up) it exceeds the bound. A sum that is not safe exceeds every one.
 */
export function needsApproval(adjusted: bigint, coins: number, bound: number): boolean {
  return adjusted + BigInt(Math.abs(coins)) > BigInt(bound);
}
