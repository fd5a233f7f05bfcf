/**
 * The states of a delivery, and the moves between them. Only what is `due` is sent, from its time on.
 *
 *     (intake) → due | queued         queued: of an ordered subscription
 *     queued → due                    no earlier one of its room or user is due
 *     due → due                       the try failed: later again
 *     due → succeeded | failed        answered with 2xx; or the last try failed
 *     succeeded, failed → due | queued   replayed
 */
export const states = { queued: 0, due: 1, succeeded: 2, failed: 3 } as const;
export type DeliveryState = keyof typeof states;

const moves: Readonly<Record<DeliveryState, readonly DeliveryState[]>> = {
  queued: ["due"],
  due: ["due", "succeeded", "failed"],
  succeeded: ["due", "queued"],
  failed: ["due", "queued"],
};

/** The states from which a delivery may come to `to`, as the column has them. */
export function statesBefore(to: DeliveryState): number[] {
  return (Object.keys(states) as DeliveryState[])
    .filter((from) => moves[from].includes(to))
    .map((from) => states[from]);
}

export function stateOf(column: number): DeliveryState {
  const found = (Object.keys(states) as DeliveryState[]).find((name) => states[name] === column);
  if (found === undefined) throw new RangeError(`no state of a delivery: ${column}`);
  return found;
}

export const isWaiting = (state: DeliveryState) => state === "queued" || state === "due";

/** The state in which a delivery of a subscription comes in, or is replayed. */
export const firstState = (isOrdered: boolean): "queued" | "due" => (isOrdered ? "queued" : "due");
