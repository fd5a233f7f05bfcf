import { LRUCache } from "lru-cache";
import { limits } from "../../config/limits.ts";

/**
 * Whose rooms are live, asked once for all who come in at about the same time: a crowd that comes back to one room is
 * one question. That a room is live is believed for `limits.im.roomLiveMs`, which is far less than the time for which a
 * closed room's mark keeps people out; that it is not, or cannot be told, is asked again by the next one.
 */
export class LiveRooms {
  private readonly find: (roomId: number) => Promise<string | null>;
  private readonly asked: LRUCache<number, Promise<string | null>>;

  constructor(find: (roomId: number) => Promise<string | null>, liveMs: number = limits.im.roomLiveMs) {
    this.find = find;
    this.asked = new LRUCache({ max: limits.room.cacheEntries, ttl: liveMs });
  }

  /** The anchor of a live room, `null` where it is not live. */
  anchorOf(roomId: number): Promise<string | null> {
    const known = this.asked.get(roomId);
    if (known) return known;
    const answer = this.find(roomId);
    this.asked.set(roomId, answer);
    const forget = () => {
      if (this.asked.peek(roomId) === answer) this.asked.delete(roomId);
    };
    answer.then((anchorId) => anchorId ?? forget(), forget);
    return answer;
  }
}
