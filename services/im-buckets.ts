import { limits } from "../config/limits.ts";

/**
 * The router bucket of a room: what is for a room travels by bucket, so that the gifts of all gift nodes for one room
 * meet on one router and are merged there. The number of buckets may change at a release: affinity is for merging and
 * speed, a room's order is kept by its numbers wherever they are given.
 */
export function routerBucketOf(roomId: number, buckets: number = limits.im.routerBuckets): number {
  // Fibonacci hashing: neighbouring room ids spread over the buckets.
  return (Math.imul(roomId, 0x9e3779b1) >>> 8) % buckets;
}
