import { limits } from "../config/limits.ts";

/**
 * The gift queue's partition of a sender. The node that pulls it also accepts the sender's gifts: the gateway sends them
 * there, so that repeats of a request meet on one node.
 */
export function partitionOf(userId: string): number {
  return Number(BigInt(userId) % BigInt(limits.gift.sendPartitions));
}
