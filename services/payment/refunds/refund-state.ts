/**
 * The states of a refund's money, and what moves it (`moveRefund`, conditional).
 *
 * - requested: an operator refunded the order; the provider is asked for it until it answers.
 * - processing: the provider has it; it is asked again until it is over. requested → processing
 * - done: the money went back. An order that the provider refunded by itself begins here. requested, processing, failed →
 *   done, the last where somebody gave it back by hand
 * - failed: the provider cannot give it back, or did not answer `refundAttempts` times; an operator has to.
 *   requested, processing → failed
 */

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
