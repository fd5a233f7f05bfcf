import { afterAnswers } from "../broker/after-answers.ts";

/**
 * What `work` resolves to, or an error once it has taken longer than `timeoutMs`. The work itself goes on, and how it ends
 * is ignored then.
 */
export async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const callOff = afterAnswers(timeoutMs, () => late.reject(new Error(`no answer within ${timeoutMs} ms`)));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    callOff();
  }
}
