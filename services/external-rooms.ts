import { LRUCache } from "lru-cache";
import type { ServiceBroker } from "moleculer";
import { limits } from "../config/limits.ts";
import { AnswerCache } from "../mixins/answer-cache.ts";
import { BatchLoader } from "../mixins/batch-loader.ts";
import { call, type ResultOf } from "./contracts.ts";

interface Ports {
  /** At most `limits.room.externalIdsPerCall` ids; those without a live room are left out. */
  idsOfExternal(externalRoomIds: string[], closed?: true): Promise<ResultOf<"living-room.idsOfExternal">["list"]>;
  /** As many; rooms without an id of the platform are left out. */
  externalIdsOf(roomIds: number[]): Promise<ResultOf<"living-room.externalIdsOf">["list"]>;
}

const bounds = limits.room;
const batches = { keys: bounds.externalIdsPerCall, queries: limits.mysql.batchLoader.queries };

/**
 * The platform's own ids of rooms, on one node. An id that a room has stays its id, so it is kept for as long as there
 * is space. Which live room has an id changes when the room closes and another opens: that is at most
 * `limits.room.externalIdTtlMs` old, and `forget` ends it. An id without a live room is asked for each time, so a room is
 * found as soon as it is open. Ids that are asked for together share a call. Rejects as the calls: unavailable.
 */
export class ExternalRooms {
  private readonly live = new AnswerCache<string, number | undefined>({
    max: bounds.externalIdsKept,
    ttlMs: bounds.externalIdTtlMs,
    keeps: (roomId) => roomId !== undefined,
  });
  private readonly ids = new LRUCache<number, string>({ max: bounds.externalIdsKept });
  private readonly without = new LRUCache<number, true>({ max: bounds.externalIdsKept, ttl: bounds.externalIdTtlMs });
  private readonly loadRoom: BatchLoader<number>;
  private readonly loadLast: BatchLoader<number>;
  private readonly loadId: BatchLoader<string>;

  constructor({ idsOfExternal, externalIdsOf }: Ports) {
    const roomIds = async (externalRoomIds: string[], closed?: true) => {
      const list = await idsOfExternal(externalRoomIds, closed);
      for (const { roomId, externalRoomId } of list) this.ids.set(roomId, externalRoomId);
      return new Map(list.map(({ externalRoomId, roomId }) => [externalRoomId, roomId]));
    };
    this.loadRoom = new BatchLoader((keys) => roomIds(keys), batches);
    this.loadLast = new BatchLoader((keys) => roomIds(keys, true), batches);
    this.loadId = new BatchLoader(async (keys) => {
      const list = await externalIdsOf(keys.map(Number));
      return new Map(list.map(({ roomId, externalRoomId }) => [String(roomId), externalRoomId]));
    }, batches);
  }

  /** The live room that the platform calls so; `undefined` where there is none. */
  roomIdOf(externalRoomId: string): Promise<number | undefined> {
    return this.live.get(externalRoomId, () => this.loadRoom.get(externalRoomId));
  }

  /** The live room that the platform calls so, or else the last closed one; `undefined` where there never was one. */
  async lastRoomIdOf(externalRoomId: string): Promise<number | undefined> {
    return (await this.roomIdOf(externalRoomId)) ?? this.loadLast.get(externalRoomId);
  }

  /** Those of the ids that have a live room. */
  async roomIdsOf(externalRoomIds: readonly string[]): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    await Promise.all(
      externalRoomIds.map(async (externalRoomId) => {
        const roomId = await this.roomIdOf(externalRoomId);
        if (roomId !== undefined) found.set(externalRoomId, roomId);
      }),
    );
    return found;
  }

  /** The platform's ids of those rooms that have one, live or closed. */
  async externalIdsOf(roomIds: readonly number[]): Promise<Map<number, string>> {
    const found = new Map<number, string>();
    await Promise.all(
      roomIds.map(async (roomId) => {
        const externalRoomId = await this.externalIdOf(roomId);
        if (externalRoomId !== undefined) found.set(roomId, externalRoomId);
      }),
    );
    return found;
  }

  /** A room has opened, closed or got an id: call it for the broadcast `living-room.changed`. */
  forget(roomId: number): void {
    const externalRoomId = this.ids.get(roomId);
    if (externalRoomId !== undefined) this.live.forget(externalRoomId);
    this.without.delete(roomId);
  }

  private async externalIdOf(roomId: number): Promise<string | undefined> {
    const known = this.ids.get(roomId);
    if (known !== undefined || this.without.has(roomId)) return known;
    const externalRoomId = await this.loadId.get(String(roomId));
    if (externalRoomId === undefined) this.without.set(roomId, true);
    else this.ids.set(roomId, externalRoomId);
    return externalRoomId;
  }
}

const roomsOf = new WeakMap<ServiceBroker, ExternalRooms>();

/** The platform's ids of rooms, as this node knows them. */
export function externalRooms(broker: ServiceBroker): ExternalRooms {
  const known = roomsOf.get(broker);
  if (known) return known;
  const made = new ExternalRooms({
    idsOfExternal: async (externalRoomIds, closed) =>
      (await call(broker, "living-room.idsOfExternal", { externalRoomIds, ...(closed && { closed }) })).list,
    externalIdsOf: async (roomIds) => (await call(broker, "living-room.externalIdsOf", { roomIds })).list,
  });
  roomsOf.set(broker, made);
  return made;
}
