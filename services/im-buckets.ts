import { limits } from "../config/limits.ts";

/**
 * The router bucket of a room. Calls for a room travel by bucket, so that the gifts of all gift nodes for one room meet
 * on one router and are merged there. The number of buckets may change with a release: buckets are for merging and
 * speed, and a room's order depends on its numbers alone.
 */
export function routerBucketOf(roomId: number, buckets: number = limits.im.routerBuckets): number {
  // Fibonacci hashing: neighbouring room ids spread over the buckets.
  return (Math.imul(roomId, 0x9e3779b1) >>> 8) % buckets;
}
