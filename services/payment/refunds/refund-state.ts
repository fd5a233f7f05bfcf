/**
 * The states of a refund's money, and the events that move it (`moveRefund`, a conditional update).
 * - requested: an operator refunded the order. The provider is asked for the refund until it answers.
 * - processing: the provider has accepted the refund, and is asked until it is over. requested → processing
 * - done: the money was refunded. A refund that the provider began starts here. requested, processing, failed → done;
 *   from failed, where a person refunded it at the provider
 * - failed: the provider cannot refund it, or did not answer `refundAttempts` times. An operator must do it. requested,
 *   processing → failed
 */

/** The state of a refund's money: t_pay_refund.state. */
export type RefundState = "requested" | "processing" | "done" | "failed";

/** Who began the refund: an operator here, or the provider. */
export type RefundOrigin = "operator" | "provider";

/** Every allowed move. A failed refund may still be done, by a person at the provider. A done one stays done. */
const moves: Readonly<Record<RefundState, readonly RefundState[]>> = Object.freeze({
  requested: ["processing", "done", "failed"],
  processing: ["processing", "done", "failed"],
  done: [],
  failed: ["done"],
});

/** The states from which a refund may move to `to`. */
export function refundStatesBefore(to: RefundState): RefundState[] {
  return (Object.keys(moves) as RefundState[]).filter((from) => moves[from].includes(to));
}
