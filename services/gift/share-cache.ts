import { LRUCache } from "lru-cache";
import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { BatchLoader } from "../../mixins/batch-loader.ts";

/**
 * A cache of the anchors' shares. An entry lives for `limits.gift.shareCacheMs`, so a change is in force on every node
 * within a second. Concurrent misses are one query.
 */
export class ShareCache {
  private readonly known = new LRUCache<string, number>({
    max: limits.gift.shareCacheEntries,
    ttl: limits.gift.shareCacheMs,
    // `start` below is read from the same clock.
    perf: { now: () => performance.now() },
  });
  private readonly looks: BatchLoader<number | "unsure">;
  private readonly defaultPercent: number;

  /**
   * `load` returns the whole percents of anchors with their own share; the others have the default. "unsure": nobody can
   * tell.
   */
  constructor(load: (anchorIds: string[]) => Promise<ReadonlyMap<string, number | "unsure">>, defaultPercent: number) {
    this.looks = new BatchLoader(load, limits.mysql.batchLoader);
    this.defaultPercent = defaultPercent;
  }

  /** `undefined` where the cache does not have it: ask `percentOf`. */
  cached(anchorId: string): number | undefined {
    return this.known.get(anchorId);
  }

  /** Fails: unavailable, also where nobody can tell: a gift keeps its share for ever, so none is guessed. */
  async percentOf(anchorId: string): Promise<number> {
    const known = this.known.get(anchorId);
    if (known !== undefined) return known;
    // The age counts from the start of the query, since the result may be as old as that.
    const start = performance.now();
    const percent = (await this.looks.get(anchorId)) ?? this.defaultPercent;
    if (percent === "unsure")
      throw fail("unavailable", { anchorId, cause: "her share is signed by a key that GIFT_BOOK_KEYS does not have" });
    this.known.set(anchorId, percent, { start });
    return percent;
  }
}
