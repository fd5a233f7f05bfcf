import type { BattleKind, BattleState } from "./battle.contract.ts";

/**
 * The states of a battle:
 *
 *   invited   -> running    accepted (or joined, of kind guest), and its start message is stored in JetStream
 *   invited   -> declined   by the invited anchor
 *   invited   -> cancelled  by the inviting anchor; a room closes; the guest cannot be linked
 *   invited   -> expired    not accepted in time, or accepted and not started in time
 *   running   -> settling   JetStream's clock has passed the planned end, or an end message is stored
 *   settling  -> ended      every gift of its time is settled or a dead letter: the result is stored
 *
 * The others are final. An accepted invitation (`starting`) can only start or expire.
 */
const moves: Readonly<Record<BattleState, readonly BattleState[]>> = {
  invited: ["running", "declined", "cancelled", "expired"],
  running: ["settling"],
  settling: ["ended"],
  ended: [],
  declined: [],
  cancelled: [],
  expired: [],
};

export function mayMove(from: BattleState, to: BattleState): boolean {
  return moves[from].includes(to);
}

/** Whether a state is final. Then the sides are free for other battles. */
export function isFinal(state: BattleState): boolean {
  return moves[state].length === 0;
}

/** A side as the database has it. */
export interface Side {
  readonly roomId: number;
  readonly userId: string;
  readonly seen: boolean;
  readonly gone: boolean;
  readonly deserted: boolean;
  /** For how long she has been away, ms; `null` where she is not. */
  readonly awayMs: number | null;
}

/** A battle as the database has it. Times are ms since 1970, by JetStream's clock; ages are by the database's clock. */
export interface Battle {
  readonly id: string;
  readonly kind: BattleKind;
  readonly state: BattleState;
  readonly durationMs: number;
  readonly version: number;
  readonly shownVersion: number;
  readonly invitedMs: number;
  /** How long ago it was accepted; `null`: it is not accepted. */
  readonly startingMs: number | null;
  readonly endAsked: boolean;
  /** How long ago the result was stored; `null`: there is none. */
  readonly endedMs: number | null;
  readonly start: number | null;
  readonly plannedEnd: number | null;
  readonly end: number | null;
  readonly winner: string | null;
  readonly linked: boolean;
  readonly sides: readonly [Side, Side];
}

/** The sides that may lose by their absence: in a room that its anchor has closed the guest cannot be. */
export function sidesThatMayDesert({ kind, sides }: Pick<Battle, "kind" | "sides">): (0 | 1)[] {
  return kind === "guest" && sides[0].gone ? [0] : [0, 1];
}

export interface StepTimes {
  readonly inviteMs: number;
  readonly startWithinMs: number;
  readonly awayMs: number;
}

export type Step = "expire" | "begin" | "finish" | "timeUp" | "desert" | "settle";

/** What the scheduler does next for a battle. `now`: JetStream's clock, as this node knows it; the steps prove it. */
export function stepOf(battle: Battle, now: number, times: StepTimes): Step | undefined {
  const { state, startingMs, invitedMs, endAsked, plannedEnd, sides } = battle;
  if (state === "invited") {
    if (startingMs === null) return invitedMs >= times.inviteMs ? "expire" : undefined;
    return startingMs >= times.startWithinMs ? "expire" : "begin";
  }
  if (state === "running") {
    if (endAsked) return "finish";
    if (plannedEnd !== null && plannedEnd <= now) return "timeUp";
    return sides.some(({ awayMs }) => awayMs !== null && awayMs >= times.awayMs) ? "desert" : undefined;
  }
  return state === "settling" ? "settle" : undefined;
}

/** Whether an open invitation cannot be accepted any more, although it is not marked as expired yet. */
export function isOverdue(
  { state, startingMs, invitedMs }: Battle,
  { inviteMs }: Pick<StepTimes, "inviteMs">,
): boolean {
  return state === "invited" && startingMs === null && invitedMs >= inviteMs;
}
