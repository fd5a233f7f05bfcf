import { abortedError, OvationError } from "./errors.ts";

/** How a call is repeated. Times in milliseconds. */
export interface RepeatOptions {
  /** Requests of one call in all: 5. With 1 nothing is repeated. */
  attempts?: number;
  /** The longest pause before the first repeat, doubled with each, and its cap: 300 and 5,000. */
  pauseMs?: number;
  pauseMostMs?: number;
  /** A longer `Retry-After` is not awaited: the call fails at once: 15,000. */
  retryAfterMostMs?: number;
  /** No repeat begins later than this after the call: 45,000. */
  totalMs?: number;
  /** 0 to 1, for the pauses. */
  random?: () => number;
}

export type Repeats = Required<RepeatOptions>;

export const defaultRepeats: Repeats = Object.freeze({
  attempts: 5,
  pauseMs: 300,
  pauseMostMs: 5_000,
  retryAfterMostMs: 15_000,
  totalMs: 45_000,
  random: Math.random,
});

const TOO_MANY = 429;
const SERVER_FAULT = 500;
const AWAY = new Set([408, 502, 503, 504]);

/** Whether the request was certainly not carried out, so that any may be sent again later. */
export function wasTurnedAway(error: unknown): boolean {
  return error instanceof OvationError && error.status === TOO_MANY;
}

/** Whether nobody who could decide has answered: a request that may be carried out twice may be sent again. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof OvationError)) return false;
  const { name, status } = error;
  if (status === undefined) return name !== "aborted";
  return AWAY.has(status) || (name === "badAnswer" && status >= SERVER_FAULT);
}

/**
 * The pauses of one call. Each answer of `next` is the pause before the next request, or undefined where there is none
 * to come: the attempts or the time are used up, or the server asks for a longer wait than allowed. Where the server
 * names a wait, it is kept, and a random part is added: clients that were turned away together do not come back together.
 */
export function pausesOf(repeats: Repeats, now: () => number = Date.now): (error: unknown) => number | undefined {
  const begun = now();
  let tried = 0;
  return (error) => {
    tried += 1;
    if (tried >= repeats.attempts) return undefined;
    const ceiling = Math.min(repeats.pauseMostMs, repeats.pauseMs * 2 ** (tried - 1));
    const wanted = error instanceof OvationError ? (error.retryAfterMs ?? 0) : 0;
    if (wanted > repeats.retryAfterMostMs) return undefined;
    const pause = Math.round(wanted + repeats.random() * ceiling);
    return now() - begun + pause > repeats.totalMs ? undefined : pause;
  };
}

/** Resolves after `ms`. Rejects with the signal's reason as soon as it is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const end = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, ms);
    signal?.addEventListener("abort", end, { once: true });
  });
}

/**
 * Does `attempt` until it succeeds, fails in a way that `mayRepeat` does not allow, or the repeats are used up. Rejects
 * with `aborted` where the signal ends a pause.
 */
export async function repeated<T>(
  attempt: () => Promise<T>,
  mayRepeat: (error: unknown) => boolean,
  repeats: Repeats,
  signal?: AbortSignal,
): Promise<T> {
  const pauseBeforeNext = pausesOf(repeats);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!mayRepeat(error)) throw error;
      const ms = pauseBeforeNext(error);
      if (ms === undefined) throw error;
      try {
        await pause(ms, signal);
      } catch {
        throw abortedError("a pause before a repeat", signal as AbortSignal, error as OvationError);
      }
    }
  }
}
