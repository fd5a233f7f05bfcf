/** Whether a node's way to the servers that a service needs is open. */
export const abilityLimits = Object.freeze({
  /** How often each server is asked. */
  lookEveryMs: 1_000,
  /** A server that has not answered for so long is lost: longer than a failover of MySQL takes. */
  lostAfterMs: 6_000,
  /** All servers must have answered for so long before the node does its work again. */
  backAfterMs: 3_000,
});
