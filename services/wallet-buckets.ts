import { limits } from "../config/limits.ts";

/**
 * The bucket of a user by which her data are on one of several servers (services/wallet-servers.ts). Another number of
 * buckets would look for everybody elsewhere: it never changes.
 */
export function storeBucketOf(userId: string): number {
  return Number(BigInt(userId) % BigInt(limits.wallet.storeBuckets));
}

/**
 * The bucket of a user. Wallet calls travel by bucket, so that a batch of gifts is a few calls, and each user's
 * commands meet on one node. FNV-1a over the id's digits. The number of buckets may change with a release, since
 * buckets are for speed alone.
 */
export function bucketOf(userId: string, buckets: number = limits.wallet.buckets): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < userId.length; i++) hash = Math.imul(hash ^ userId.charCodeAt(i), 0x01000193) >>> 0;
  return hash % buckets;
}
