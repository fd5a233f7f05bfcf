import { limits } from "../config/limits.ts";

/**
 * When a process that ended by itself is started again, and when it is given up. Exit code 0 means that it was asked to
 * end; with any other code it ended by itself. A process that its supervisor ends, since it was not ready in time after
 * a restart, counts as one that ended by itself, whatever its exit code.
 *
 * | phase      |                                                                    |
 * | ---------- | ------------------------------------------------------------------ |
 * | starting   | started for the first time, not ready yet                          |
 * | up         | ready                                                              |
 * | pausing    | ended by itself; waits to be started again                         |
 * | restarting | started again, not ready yet                                       |
 * | stopping   | asked to end                                                       |
 * | ended      | ended as asked, or never started; final                            |
 * | givenUp    | ended by itself too often; final                                   |
 */
export type Phase = "starting" | "up" | "pausing" | "restarting" | "stopping" | "ended" | "givenUp";

type Move = "ready" | "endedWell" | "failed" | "failedTooOften" | "pauseOver" | "stop";

/** The allowed moves; any other event changes nothing. */
export const moves: Readonly<Record<Phase, Partial<Record<Move, Phase>>>> = {
  starting: { ready: "up", endedWell: "ended", failed: "ended", failedTooOften: "ended", stop: "stopping" },
  up: { endedWell: "ended", failed: "pausing", failedTooOften: "givenUp", stop: "stopping" },
  pausing: { pauseOver: "restarting", stop: "ended" },
  restarting: { ready: "up", endedWell: "ended", failed: "pausing", failedTooOften: "givenUp", stop: "stopping" },
  stopping: { endedWell: "ended", failed: "ended", failedTooOften: "ended" },
  ended: {},
  givenUp: {},
};

/** At most `most` restarts within any `withinMs`. The pause before a restart doubles each time. */
export interface RestartLimits {
  readonly most: number;
  readonly withinMs: number;
  readonly firstPauseMs: number;
  readonly maxPauseMs: number;
}

export interface RestartState {
  readonly phase: Phase;
  /** The times at which it ended by itself and was to be restarted, Date.now(), within `withinMs`. */
  readonly failures: readonly number[];
}

/** `failed`: it ended by itself, or was not ready in time; `endedWell`: it ended with exit code 0. */
export type ProcessEvent = "ready" | "endedWell" | "failed" | "pauseOver" | "stop";

export const initialState: RestartState = { phase: "starting", failures: [] };

/** The state after the event at `now`. Pure. */
export function next(state: RestartState, event: ProcessEvent, now: number, limits: RestartLimits): RestartState {
  const recent = state.failures.filter((at) => now - at < limits.withinMs);
  const move = event === "failed" && recent.length >= limits.most ? "failedTooOften" : event;
  const phase = moves[state.phase][move] ?? state.phase;
  return { phase, failures: phase === "pausing" && event === "failed" ? [...recent, now] : recent };
}

/** The pause before the next restart, milliseconds. */
export function pauseMs({ failures }: RestartState, { firstPauseMs, maxPauseMs }: RestartLimits): number {
  return Math.min(maxPauseMs, firstPauseMs * 2 ** Math.max(0, failures.length - 1));
}

/**
 * The limits of `limits.restarts`, with the number of restarts from `--restarts`, if given. Throws where `given` is not
 * a number.
 */
export function readRestarts(given: string | undefined): RestartLimits {
  if (given === undefined) return limits.restarts;
  if (!/^\d{1,3}$/.test(given)) throw new Error(`--restarts wants a number from 0 to 999, not "${given}"`);
  return { ...limits.restarts, most: Number(given) };
}
