/**
 * Callers share the running request: a request to every node costs the same for a hundred callers as for one. Nothing
 * is kept after the answer.
 */
export function singleFlight<T>(make: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= make().finally(() => {
      running = undefined;
    });
    return running;
  };
}

/** As singleFlight, and the answer is reused for `keptMs` after its request: for checks that many clients make. */
export function keptAnswer<T>(make: () => Promise<T>, keptMs: number): () => Promise<T> {
  const ask = singleFlight(make);
  let kept: { at: number; answer: Promise<T> } | undefined;
  return () => {
    const now = performance.now();
    if (!kept || now - kept.at >= keptMs) kept = { at: now, answer: ask() };
    return kept.answer;
  };
}
