import { isNobodyThere, isOutage } from "../../broker/outages.ts";

/**
 * Whether an error says that a server or a service does not answer, which passes: then it is not time yet. As
 * `isUnavailable` of broker/failure.ts, which loads Moleculer.
 */
function passes(error: unknown): boolean {
  return (error as { type?: unknown } | null)?.type === "unavailable" || isNobodyThere(error) || isOutage(error);
}

/** What a check gave: its value, or the outage that kept it from one. */
async function lookedAt<T>(check: () => Promise<T> | T): Promise<{ value?: T; outage?: string }> {
  try {
    return { value: await check() };
  } catch (error) {
    if (!passes(error)) throw error;
    return { outage: String(error) };
  }
}

/**
 * Waits until `check` gives something truthy and resolves to it: for what cannot be awaited as an event. A check that
 * throws since a server or a service does not answer is made again.
 * @throws Error with `what` and the last value or outage, where it does not come true in time; any other error of
 *   `check`, at once.
 */
export async function eventually<T>(
  what: string,
  check: () => Promise<T> | T,
  timeoutMs = 10_000,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const { value, outage } = await lookedAt(check);
    if (value) return value as NonNullable<T>;
    if (Date.now() > deadline)
      throw new Error(`not within ${timeoutMs} ms: ${what} (last: ${outage ?? JSON.stringify(value)})`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
