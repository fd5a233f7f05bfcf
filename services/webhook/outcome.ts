import { limits } from "../../config/limits.ts";

/** What follows from a try. Pure. */

export interface Try {
  /** The HTTP status; null: there was no answer. */
  readonly httpStatus: number | null;
  /** Why there was no answer; null: there was one. */
  readonly failure: string | null;
  /** The header Retry-After. */
  readonly retryAfter?: string | undefined;
  /** The beginning of the answer. */
  readonly answer: string;
  readonly durationMs: number;
}

export interface Outcome {
  readonly state: "succeeded" | "failed" | "due";
  /** Until the next try. */
  readonly pauseMs: number;
  /** The receiver wants no more calls. */
  readonly isGone: boolean;
}

const { pausesMs, jitterPercent } = limits.webhook;

/** The tries of a delivery, the first one included. */
export const mostTries = pausesMs.length + 1;

/** `tries`: with this one. `random`: from 0 to 1. */
export function outcomeOf({ httpStatus, retryAfter }: Try, tries: number, nowMs: number, random: number): Outcome {
  const isGone = httpStatus === 410;
  if (httpStatus !== null && httpStatus >= 200 && httpStatus < 300)
    return { state: "succeeded", pauseMs: 0, isGone: false };
  const pauseMs = pausesMs[tries - 1];
  if (pauseMs === undefined) return { state: "failed", pauseMs: 0, isGone };
  const jitter = 1 + ((random * 2 - 1) * jitterPercent) / 100;
  return { state: "due", pauseMs: Math.round(Math.max(pauseMs * jitter, retryAfterMs(retryAfter, nowMs))), isGone };
}

/** Seconds, or a date of HTTP; at most `limits.webhook.retryAfterMs`. 0 for anything else. */
export function retryAfterMs(header: string | undefined, nowMs: number): number {
  if (header === undefined) return 0;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), limits.webhook.retryAfterMs) : 0;
}

const control = /[\p{Cc}\u2028\u2029]+/gu;

/** The beginning of an answer as the log keeps it: one line without control characters, of bounded bytes. */
export function keptAnswer(answer: string): string {
  const text = answer.slice(0, limits.webhook.answerKeptBytes).toWellFormed().replace(control, " ").trim();
  const bytes = Buffer.from(text);
  if (bytes.length <= limits.webhook.answerKeptBytes) return text;
  return new TextDecoder().decode(bytes.subarray(0, limits.webhook.answerKeptBytes)).replace(/\ufffd+$/, "");
}
