const everyMs = 10_000;

/** Says every ten seconds that some work, which says nothing itself, goes on. */
export async function telling<T>(what: string, progress: (line: string) => void, work: () => Promise<T>): Promise<T> {
  const startedAt = Date.now();
  progress(what);
  const timer = setInterval(
    () => progress(`${what}: goes on for ${Math.round((Date.now() - startedAt) / 1_000)} s`),
    everyMs,
  );
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
