import { LRUCache } from "lru-cache";
import { limits } from "../../config/limits.ts";
import type { LiveRoom } from "./living-room.contract.ts";

/**
 * What this node knows of rooms, rooms that are not live among them: at most `limits.room.cacheEntries`, none older than
 * `limits.room.cacheTtlMs`. A change is told to every node by a broadcast that forgets the room at once, so a closed
 * room is taken for a live one for the broadcast's way, and for `cacheTtlMs` where the broadcast was lost.
 */
export class RoomCache {
  private readonly known = new LRUCache<number, { room: LiveRoom | null }>({
    max: limits.room.cacheEntries,
    ttl: limits.room.cacheTtlMs,
  });
  private readonly loading = new Map<number, Promise<LiveRoom | null>>();
  private readonly load: (roomId: number) => Promise<LiveRoom | null>;

  constructor(load: (roomId: number) => Promise<LiveRoom | null>) {
    this.load = load;
  }

  /** Parallel questions for one room share one look. */
  find(roomId: number): Promise<LiveRoom | null> {
    const known = this.known.get(roomId);
    if (known) return Promise.resolve(known.room);
    const running = this.loading.get(roomId);
    if (running) return running;
    const looking: Promise<LiveRoom | null> = this.load(roomId).then(
      (room) => {
        // A look that began before the room was forgotten may have seen what it was before the change.
        if (this.settle(roomId, looking)) this.known.set(roomId, { room });
        return room;
      },
      (error) => {
        this.settle(roomId, looking);
        throw error;
      },
    );
    this.loading.set(roomId, looking);
    return looking;
  }

  forget(roomId: number): void {
    this.known.delete(roomId);
    this.loading.delete(roomId);
  }

  private settle(roomId: number, looking: Promise<LiveRoom | null>): boolean {
    return this.loading.get(roomId) === looking && this.loading.delete(roomId);
  }
}
