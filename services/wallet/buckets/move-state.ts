/**
 * The states of a move of a bucket from one server to another, each durable before what it allows is done:
 *
 *   planned   the source writes the bucket's rows    -> closed  the source's gate is closed: no transaction writes any
 *   closed    accounts leave and arrive              -> moved   every balance, debt and status is at the target
 *   moved     the source has nothing left            -> done    the map names the target, whose gate is open
 *
 * Every step may be done again, by another node too. While it is closed or moved, the bucket's users are answered 503.
 */
export const moveStates = ["planned", "closed", "moved", "done"] as const;
export type MoveState = (typeof moveStates)[number];

/** As t_wallet_bucket_move has it. */
export const numberOfState = (state: MoveState): number => moveStates.indexOf(state);

/** @throws RangeError where the number is that of no state */
export function stateOfNumber(number: number): MoveState {
  const state = moveStates[number];
  if (state === undefined) throw new RangeError(`${number} is no state of a move`);
  return state;
}

/** The steps of a move, for tests that end it there. */
export type MoveStep = "closed" | "arrived" | "left" | "moved" | "mapped" | "opened";
export type MoveBreakpoint = (step: MoveStep) => void | Promise<void>;
