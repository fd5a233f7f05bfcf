import { LRUCache } from "lru-cache";
import { limits } from "../../config/limits.ts";
import { BatchLoader } from "../../mixins/batch-loader.ts";

/**
 * A cache of the anchors' shares, none older than `limits.gift.shareCacheMs`: a change is in force on every node within
 * a second. Concurrent misses are read with one query, and those of one anchor share a read.
 */
export class ShareCache {
  private readonly known = new LRUCache<string, number>({
    max: limits.gift.shareCacheEntries,
    ttl: limits.gift.shareCacheMs,
    // The clock that `start` below is read from.
    perf: { now: () => performance.now() },
  });
  private readonly looks: BatchLoader<number>;
  private readonly defaultPercent: number;

  /** `load` gives the whole percents of those that have a share of their own; the others have the default. */
  constructor(load: (anchorIds: string[]) => Promise<ReadonlyMap<string, number>>, defaultPercent: number) {
    this.looks = new BatchLoader(load, limits.mysql.batchLoader);
    this.defaultPercent = defaultPercent;
  }

  async percentOf(anchorId: string): Promise<number> {
    const known = this.known.get(anchorId);
    if (known !== undefined) return known;
    // The age counts from the start of the query: the result may be as old as that.
    const start = performance.now();
    const percent = (await this.looks.get(anchorId)) ?? this.defaultPercent;
    this.known.set(anchorId, percent, { start });
    return percent;
  }
}
