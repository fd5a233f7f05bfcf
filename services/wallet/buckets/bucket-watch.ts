import type { Log } from "../../../broker/log.ts";
import { limits } from "../../../config/limits.ts";
import { BackgroundLoop } from "../../../mixins/background-loop.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { BucketMap } from "./bucket-map.ts";
import { readBuckets, readLeftRows } from "./bucket-store.ts";

/**
 * The map of buckets on this node, read from the home server every `limits.wallet.bucketsReadMs`. It may be old: the gates
 * of the servers decide, and whoever finds one closed reads the map again.
 */
export class BucketWatch {
  private readonly home: Queryable;
  private readonly homeName: string;
  private readonly loop: BackgroundLoop;
  private reading: Promise<void> | undefined;
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

  /** Reads the map again; calls at the same time share a reading. Fails: unavailable. */
  refresh(): Promise<void> {
    this.reading ??= readMap(this.home, this.homeName)
      .then((map) => {
        this.map = map;
      })
      .finally(() => {
        this.reading = undefined;
      });
    return this.reading;
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }
}

async function readMap(home: Queryable, homeName: string): Promise<BucketMap> {
  const buckets = await readBuckets(home);
  return new BucketMap(homeName, buckets, await readLeftRows(home));
}
