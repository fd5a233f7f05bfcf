import { LRUCache } from "lru-cache";
import { limits } from "../../config/limits.ts";

/**
 * Who the anchor of a live room is, as this node saw it last: rooms that are live only, for `limits.gift.anchorCacheMs`,
 * forgotten at once when a broadcast says that a room changed.
 */
export class AnchorCache {
  private readonly known = new LRUCache<number, string>({
    max: limits.room.cacheEntries,
    ttl: limits.gift.anchorCacheMs,
  });
  /** Grows when a room is forgotten: what was asked before must not be remembered after it. */
  private generation = 0;

  async anchorOf(roomId: number, ask: () => Promise<string | undefined>): Promise<string | undefined> {
    const known = this.known.get(roomId);
    if (known !== undefined) return known;
    const { generation } = this;
    const anchorId = await ask();
    if (anchorId !== undefined && generation === this.generation) this.known.set(roomId, anchorId);
    return anchorId;
  }

  forget(roomId: number): void {
    this.generation++;
    this.known.delete(roomId);
  }
}
