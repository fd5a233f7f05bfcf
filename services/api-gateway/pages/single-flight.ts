/**
 * Callers who ask while an answer is being made get that one: what asks every node costs the same for a hundred callers
 * as for one. Nothing is kept once it is answered.
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
