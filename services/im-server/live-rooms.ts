import { LRUCache } from "lru-cache";
import { limits } from "../../config/limits.ts";

/**
 * Whether rooms are live, asked once for all who come in at about the same time: a crowd that comes back to one room is
 * one question. That a room is live is believed for `limits.im.roomLiveMs`, which is far less than the time for which a
 * closed room's mark keeps people out; that it is not, or cannot be told, is asked again by the next one.
 */
export class LiveRooms {
  private readonly find: (roomId: number) => Promise<boolean>;
  private readonly asked: LRUCache<number, Promise<boolean>>;

  constructor(find: (roomId: number) => Promise<boolean>, liveMs: number = limits.im.roomLiveMs) {
    this.find = find;
    this.asked = new LRUCache({ max: limits.room.cacheEntries, ttl: liveMs });
  }

  isLive(roomId: number): Promise<boolean> {
    const known = this.asked.get(roomId);
    if (known) return known;
    const answer = this.find(roomId);
    this.asked.set(roomId, answer);
    const forget = () => {
      if (this.asked.peek(roomId) === answer) this.asked.delete(roomId);
    };
    answer.then((live) => live || forget(), forget);
    return answer;
  }
}
