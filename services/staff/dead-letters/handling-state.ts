import type { LetterDecision } from "../dead-letters.contract.ts";

/**
 * What became of a decision on a dead letter:
 *
 * - `begun`: a person decided; it may be carried out.
 * - `done`: it is carried out, and the dead letter is gone.
 * - `freed`: it was certainly not carried out, by no attempt: anybody may decide again.
 */
export type HandlingState = "begun" | "done" | "freed";

const moves: Readonly<Record<HandlingState, readonly HandlingState[]>> = {
  // Again, once the one who began has had his time.
  begun: ["begun", "done", "freed"],
  done: [],
  freed: ["begun"],
};

/** The states from which a state may be reached. */
export const statesBefore = (next: HandlingState): HandlingState[] =>
  (Object.keys(moves) as HandlingState[]).filter((state) => moves[state].includes(next));

export interface Handling {
  readonly state: HandlingState;
  readonly decision: LetterDecision;
  /** Whoever began may still be at it. */
  readonly leased: boolean;
}

/**
 * Whether a decision may begin on a dead letter that is there, on which somebody has decided before. `gone`: somebody is
 * at it, or has done it. `other`: the other decision has begun and may still take effect, at any time. After a replay the
 * message may be in its stream: who gave it up would say that it is not handled, although it is. While it is given up it
 * may be removed at any moment: who replayed it would say that it is handled, although it is not.
 */
export function mayBegin(known: Handling, decision: LetterDecision): "begin" | "gone" | "other" {
  if (!moves[known.state].includes("begun")) return "gone";
  if (known.state === "freed") return "begin";
  if (known.leased) return "gone";
  return known.decision === decision ? "begin" : "other";
}
