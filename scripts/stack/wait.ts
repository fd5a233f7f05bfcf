import { setTimeout as pause } from "node:timers/promises";

const POLL_MS = 25;

/** Waits until the condition holds; returns false where it still does not hold after `deadlineMs`. */
export async function becomesTrue(
  condition: () => boolean | Promise<boolean>,
  deadlineMs: number,
  pollMs = POLL_MS,
): Promise<boolean> {
  const deadline = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() >= deadline) return false;
    await pause(pollMs);
  }
  return true;
}

/**
 * Repeats the probe until it succeeds. Rejects at once where `failed` returns a reason, and after `deadlineMs` with the
 * probe's last error.
 */
export async function probeUntilReady(
  probe: () => Promise<void>,
  failed: () => Promise<string | undefined>,
  deadlineMs: number,
): Promise<void> {
  let complaint: unknown = "never probed";
  const ready = await becomesTrue(async () => {
    const problem = await failed();
    if (problem !== undefined) throw new Error(problem);
    try {
      await probe();
      return true;
    } catch (error) {
      complaint = error;
      return false;
    }
  }, deadlineMs);
  if (!ready) throw new Error(`no good answer within ${deadlineMs / 1000} s: ${messageOf(complaint)}`);
}

/** The text of any thrown value. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A refused connection to several addresses is an AggregateError with an empty message.
  return error.message || String((error as { code?: unknown }).code ?? error.name);
}
