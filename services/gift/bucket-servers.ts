import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { call } from "../contracts.ts";
import { storeBucketOf } from "../wallet-buckets.ts";

/** Servers by name, each with the buckets whose users may have rows there. */
type BucketsAt = ReadonlyMap<string, ReadonlySet<number>>;

/**
 * Which servers may have gift records of a user, as the wallet's map of buckets says. It is read now and then: where it is
 * older than `limits.gift.bucketServersFreshMs`, any server may. A bucket that has moved since may have gifts on a server
 * that is not asked: those that are repeated so soon are in the memory of their node or in Redis, and the ledger knows all.
 */
export class BucketServers {
  private readonly loop: BackgroundLoop;
  private known: BucketsAt | undefined;
  private readAt = Number.NEGATIVE_INFINITY;

  constructor({ broker, logger }: Service) {
    this.loop = new BackgroundLoop({
      name: "servers of buckets",
      idleMs: limits.wallet.bucketsReadMs,
      errorBackoffMs: limits.wallet.bucketsReadMs,
      log: logger,
      round: async () => {
        const askedAt = performance.now();
        const { servers } = await call(broker, "wallet.bucketServers", {}, { timeout: limits.gift.bucketServersMs });
        this.known = new Map(servers.map(({ name, buckets }) => [name, new Set(buckets)]));
        this.readAt = askedAt;
        return false;
      },
    });
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Whether a server may have records of a user. */
  mayHave(server: string, userId: string): boolean {
    if (!this.known || performance.now() - this.readAt > limits.gift.bucketServersFreshMs) return true;
    return this.known.get(server)?.has(storeBucketOf(userId)) ?? true;
  }
}
