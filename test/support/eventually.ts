import { isOutage } from "../../broker/outages.ts";

/**
 * The types of errors with which a call says that nobody answers at the moment. As broker/failure.ts knows them, which
 * loads Moleculer.
 */
const nobodyAnswers: ReadonlySet<unknown> = new Set([
  "unavailable",
  "SERVICE_NOT_FOUND",
  "SERVICE_NOT_AVAILABLE",
  "REQUEST_TIMEOUT",
  "REQUEST_SKIPPED",
  "REQUEST_REJECTED",
  "QUEUE_FULL",
  "BAD_GATEWAY",
]);

/** Whether an error says that a server or a service does not answer, which passes: then it is not time yet. */
function passes(error: unknown): boolean {
  return nobodyAnswers.has((error as { type?: unknown } | null)?.type) || isOutage(error);
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
