/** How the money of a refunded order stands: t_pay_refund.state. */
export type RefundState = "requested" | "processing" | "done" | "failed";

/** Who gave the money back, or asked for it: an operator here, or the provider by itself. */
export type RefundOrigin = "operator" | "provider";

/** Every move there is. A refund that failed may be done after all, by hand at the provider; one that is done stays. */
const moves: Readonly<Record<RefundState, readonly RefundState[]>> = Object.freeze({
  requested: ["processing", "done", "failed"],
  processing: ["processing", "done", "failed"],
  done: [],
  failed: ["done"],
});

/** The states a refund may have for a move to `to`. */
export function refundStatesBefore(to: RefundState): RefundState[] {
  return (Object.keys(moves) as RefundState[]).filter((from) => moves[from].includes(to));
}
