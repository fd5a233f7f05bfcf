import { LRUCache } from "lru-cache";
import { limits } from "../../config/limits.ts";
import { Gathered } from "../../mixins/gathered.ts";

/**
 * The anchors' shares as this node knows them, none older than `limits.gift.shareCacheMs`: so a change is in force
 * everywhere within a second. Receivers that are not known are looked up together; parallel questions for one share a look.
 */
export class ShareCache {
  private readonly known = new LRUCache<string, number>({
    max: limits.gift.shareCacheEntries,
    ttl: limits.gift.shareCacheMs,
    // The clock that `start` below is read from.
    perf: { now: () => performance.now() },
  });
  private readonly looks: Gathered<number>;
  private readonly defaultPercent: number;

  /** `load` gives the whole percents of those that have a share of their own; the others have the default. */
  constructor(load: (anchorIds: string[]) => Promise<ReadonlyMap<string, number>>, defaultPercent: number) {
    this.looks = new Gathered(load, limits.mysql.gathered);
    this.defaultPercent = defaultPercent;
  }

  async percentOf(anchorId: string): Promise<number> {
    const known = this.known.get(anchorId);
    if (known !== undefined) return known;
    // Its age counts from the look's beginning: what the look saw was true then.
    const start = performance.now();
    const percent = (await this.looks.get(anchorId)) ?? this.defaultPercent;
    this.known.set(anchorId, percent, { start });
    return percent;
  }
}
