import { limits } from "../../config/limits.ts";
import { AnswerCache } from "../../mixins/answer-cache.ts";
import { BatchLoader } from "../../mixins/batch-loader.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import type { LiveRoom, RoomReceivers } from "./living-room.contract.ts";
import { roomsByIds } from "./room-store.ts";

/** The rooms by id, `null` where one is not live. A change is broadcast; a lost broadcast costs `room.cacheTtlMs`. */
export class RoomCache {
  private readonly rooms = new AnswerCache<number, LiveRoom | null>({
    max: limits.room.cacheEntries,
    ttlMs: limits.room.cacheTtlMs,
  });
  /** Reads the rooms that are not cached, many in one query. */
  private readonly rows: BatchLoader<LiveRoom>;

  constructor(mysql: () => Database) {
    this.rows = new BatchLoader(async (roomIds) => {
      const found = await roomsByIds(mysql(), roomIds.map(Number));
      return new Map([...found].map(([roomId, room]) => [String(roomId), room]));
    }, limits.mysql.batchLoader);
  }

  get(roomId: number): Promise<LiveRoom | null> {
    return this.rooms.get(roomId, async () => (await this.rows.get(String(roomId))) ?? null);
  }

  /** The anchors and guests of those rooms that are live. */
  async receiversOf(roomIds: readonly number[]): Promise<RoomReceivers[]> {
    const rooms = await Promise.all(roomIds.map((roomId) => this.get(roomId)));
    return rooms.flatMap((room) => {
      if (!room) return [];
      const { roomId, anchorId, guestId } = room;
      return [{ roomId, anchorId, ...(guestId !== undefined && { guestId }) }];
    });
  }

  forget(roomId: number): void {
    this.rooms.forget(roomId);
  }
}
