import type { Log } from "../../../broker/log.ts";
import { limits } from "../../../config/limits.ts";
import { BackgroundLoop } from "../../../mixins/background-loop.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { BucketMap } from "./bucket-map.ts";
import { readBuckets } from "./bucket-store.ts";

/**
 * The map of buckets on this node, read from the home server every `limits.wallet.bucketsReadMs`. It may be old: the gates
 * of the servers decide, and whoever finds one closed reads the map again.
 */
export class BucketWatch {
  private readonly home: Queryable;
  private readonly homeName: string;
  private readonly loop: BackgroundLoop;
  /** The reading that is under way or was the last one, and the one after it. */
  private reading: Promise<void> | undefined;
  private next: Promise<void> | undefined;
  map: BucketMap;

  private constructor(home: Queryable, homeName: string, map: BucketMap, log: Log) {
    this.home = home;
    this.homeName = homeName;
    this.map = map;
    this.loop = new BackgroundLoop({
      name: "buckets of users",
      idleMs: limits.wallet.bucketsReadMs,
      errorBackoffMs: limits.wallet.bucketsReadMs,
      log,
      round: async () => {
        await this.refresh();
        return false;
      },
    });
  }

  /** Fails: unavailable. */
  static async open(home: Queryable, homeName: string, log: Log): Promise<BucketWatch> {
    return new BucketWatch(home, homeName, await readMap(home, homeName), log);
  }

  /**
   * Reads the map again, as it is after this call began: calls that come while one is read share the next reading. Fails:
   * unavailable.
   */
  refresh(): Promise<void> {
    this.next ??= (this.reading ?? Promise.resolve())
      .catch(() => {})
      .then(() => {
        this.reading = this.next;
        this.next = undefined;
        return readMap(this.home, this.homeName);
      })
      .then((map) => {
        this.map = map;
      });
    return this.next;
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }
}

async function readMap(home: Queryable, homeName: string): Promise<BucketMap> {
  const { buckets, left } = await readBuckets(home);
  return new BucketMap(homeName, buckets, left);
}
