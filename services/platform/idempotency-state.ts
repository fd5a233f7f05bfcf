/**
 * The life of an idempotency key, as a pure table. A key is not there until its first request begins. Then:
 *
 * - `underWay`: an attempt carries the request out, until it ends or its lease is over;
 * - `answered`: the answer is kept; every repeat gets it;
 * - `free`: the attempt ended without an answer to keep (a fault, a 503); the same content may begin again.
 */
export const keyStates = { underWay: 1, answered: 2, free: 3 } as const;
export type KeyState = keyof typeof keyStates;

/** Which state may follow which. */
export const keyMoves: Readonly<Record<KeyState, readonly KeyState[]>> = {
  // To itself: another attempt takes over.
  underWay: ["underWay", "answered", "free"],
  answered: [],
  free: ["underWay"],
};

/** @throws RangeError where the number is no state's */
export function keyStateOf(number: number): KeyState {
  const found = (Object.keys(keyStates) as KeyState[]).find((name) => keyStates[name] === number);
  if (found === undefined) throw new RangeError(`no state of an idempotency key: ${number}`);
  return found;
}

/** The numbers of the states from which a state may be reached, for statements that move a row. */
export function statesBefore(next: KeyState): number[] {
  const names = (Object.keys(keyMoves) as KeyState[]).filter((state) => keyMoves[state].includes(next));
  return names.map((name) => keyStates[name]);
}

/** A key as its row has it. */
export interface KeptKey {
  readonly fingerprint: string;
  readonly state: KeyState;
  readonly attempt: string;
  /** Whether the attempt's lease is over, by the database's clock. */
  readonly leaseIsOver: boolean;
  /** Whether the leases of all attempts that were taken over are. */
  readonly earlierLeasesAreOver: boolean;
}

/** A request that wants to begin under the key. */
export interface Beginning {
  readonly fingerprint: string;
  readonly attempt: string;
  /** It may take over an attempt whose lease is not over. */
  readonly rerun: boolean;
}

/**
 * - `conflict`: the key stands for other content;
 * - `run`: this attempt has begun already: its call was repeated;
 * - `takeOver`: it may begin, if the row still has the attempt that was read;
 * - `wait`: another attempt is under way;
 * - `answer`: give what is kept.
 */
export type Decision = "conflict" | "run" | "takeOver" | "wait" | "answer";

export function decide(kept: KeptKey, { fingerprint, attempt, rerun }: Beginning): Decision {
  if (kept.fingerprint !== fingerprint) return "conflict";
  if (kept.state === "answered") return "answer";
  if (kept.state === "free") return "takeOver";
  if (kept.attempt === attempt) return "run";
  return rerun || kept.leaseIsOver ? "takeOver" : "wait";
}

/**
 * Whether an attempt that begins beside this row may be refused while an earlier one, which has not ended, is still
 * carried out: its refusal says nothing of the request as a whole.
 */
export function isUnsure(kept: KeptKey, { attempt, rerun }: Beginning): boolean {
  const other = kept.state === "underWay" && kept.attempt !== attempt;
  return rerun && (!kept.earlierLeasesAreOver || (other && !kept.leaseIsOver));
}
