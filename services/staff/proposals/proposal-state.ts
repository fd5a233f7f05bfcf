/**
 * The states of a move of staff, and the moves between them. Every one is a conditional update: of many at once one
 * succeeds.
 * - open: above the bound. It moves nothing until another person approves it.
 * - approved: it will be carried out, whether or not anybody asks again. Below the bound it begins here. open → approved
 * - done: its money moved. approved → done
 * - refused: the service that carries it out refused it for ever; nothing moved. approved → refused
 * - declined: another person declined it. open → declined
 * - expired: nobody decided in time. open → expired
 */

/** The number of each state, in t_staff_proposal_state.state. */
export const proposalStates = Object.freeze({
  ...{ open: 0, approved: 1, done: 2, refused: 3, declined: 4, expired: 5 },
} as const);
export type ProposalState = keyof typeof proposalStates;

/** Every allowed move. */
const moves: Readonly<Record<ProposalState, readonly ProposalState[]>> = Object.freeze({
  open: ["approved", "declined", "expired"],
  approved: ["done", "refused"],
  done: [],
  refused: [],
  declined: [],
  expired: [],
});

const names = Object.keys(moves) as ProposalState[];

/** Whether the table allows the move. A state may not move to itself. */
export function mayMove(from: ProposalState, to: ProposalState): boolean {
  return moves[from].includes(to);
}

/** The numbers of the states from which a move may get to `to`, for the conditional update. */
export function statesBefore(to: ProposalState): number[] {
  return names.filter((from) => mayMove(from, to)).map((from) => proposalStates[from]);
}

/** Whether it ended without moving anything: then it counts for four eyes no longer. */
export function endedUnmoved(state: ProposalState): boolean {
  return state === "refused" || state === "declined" || state === "expired";
}

/** The numbers of these states. */
export const unmovedStates = names.filter(endedUnmoved).map((name) => proposalStates[name]);

/** @throws RangeError where the number is no state. */
export function stateOf(number: number): ProposalState {
  const name = names.find((one) => proposalStates[one] === number);
  if (!name) throw new RangeError(`no state of a proposal: ${number}`);
  return name;
}
