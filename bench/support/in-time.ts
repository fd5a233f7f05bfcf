import { startDeadlineMs } from "./nodes.ts";

/** The result of a step of the start. Rejects where it takes too long; what it began goes on. */
export async function inTime<T>(step: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    const deadlineMs = startDeadlineMs();
    const seconds = deadlineMs / 1_000;
    timer = setTimeout(() => reject(new Error(`${step} takes more than ${seconds} s: see the logs`)), deadlineMs);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
