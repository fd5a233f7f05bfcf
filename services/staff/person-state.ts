/** The states of a person of the staff and the moves between them. */

/**
 * - `invited`: has a setup code, or needs one (`reset`); cannot log in.
 * - `active`: has a password and an authenticator app.
 * - `disabled`: cannot log in, until enabled.
 */
export type PersonState = "invited" | "active" | "disabled";

/** `enrol`: the person set a password and proved the app. `reset`: a new setup code; password and app are gone. */
export type PersonMove = "enrol" | "reset" | "disable" | "enable";

const moves: Readonly<Record<PersonState, Partial<Record<PersonMove, PersonState>>>> = {
  invited: { enrol: "active", reset: "invited", disable: "disabled" },
  active: { reset: "invited", disable: "disabled" },
  // Which of both: whether there is a password.
  disabled: { enable: "active" },
};

/**
 * The state after a move; `undefined` where the move is not allowed. Who is enabled without having enrolled is invited.
 */
export function stateAfter(state: PersonState, move: PersonMove, enrolled: boolean): PersonState | undefined {
  const next = moves[state][move];
  return next === "active" && move === "enable" && !enrolled ? "invited" : next;
}
