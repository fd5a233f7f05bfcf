/**
 * For a bound on how long something took. It counts as a missed deadline (scripts/test-report.ts): a machine that stood
 * still for a moment has the file run once more, and only what is slow again has failed.
 * @param begun a time of performance.now()
 * @throws Error where `ms` or more have passed since then
 */
export function expectWithin(what: string, ms: number, begun: number): void {
  expectTook(what, ms, performance.now() - begun);
}

/** The same where the time that it took was measured elsewhere. */
export function expectTook(what: string, ms: number, tookMs: number): void {
  if (!(tookMs < ms)) throw new Error(`not within ${ms} ms: ${what} (last: ${Math.round(tookMs)})`);
}
