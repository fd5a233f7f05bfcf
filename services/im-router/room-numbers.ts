import { randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { limits } from "../../config/limits.ts";
import { luaScript } from "../../mixins/redis/lua-script.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { numberedFrame, type UnnumberedFrame, unkeptEpoch } from "../im-frames.ts";
import { imKeys } from "../im-keys.ts";

type Redis = RedisState["redis"];

export interface NumberedFrame {
  roomId: number;
  seq: number;
  epoch: string;
  frame: string;
  /** The nodes with members; `undefined` where they are not known, or not all may have registered yet. */
  nodes: readonly string[] | undefined;
  traces?: string[];
}

const carrying = ({ traces }: UnnumberedFrame) => traces && { traces: [...traces] };

const numberScript = luaScript("services/im-router/lua/number-frames.lua");

/** Numbers room frames: by Redis, or without a history on this router while Redis is away. */
export class RoomNumbers {
  private readonly redis: Redis;
  private readonly given = new LRUCache<number, { epoch: string; seq: number }>({ max: limits.room.cacheEntries });
  private readonly own = new LRUCache<number, number>({ max: limits.room.cacheEntries });
  private readonly ownEpoch = unkeptEpoch(randomBytes(6).toString("hex"));

  constructor(redis: Redis) {
    this.redis = redis;
  }

  /** Rejects without Redis; the frames may still have been numbered and kept. */
  async number(frames: readonly UnnumberedFrame[]): Promise<NumberedFrame[]> {
    const rooms = [...new Set(frames.map(({ roomId }) => roomId))];
    const index = new Map(rooms.map((roomId, i) => [roomId, i]));
    const keys = rooms.flatMap((id) => [imKeys.roomState(id), imKeys.roomLog(id), imKeys.roomNodes(id)]);
    const given = rooms.flatMap((id) => [this.given.get(id)?.epoch ?? "", this.given.get(id)?.seq ?? 0]);
    const { roomHistoryFrames, roomHistoryBytes, roomHistoryMs, roomStateMs, newEpochMs } = limits.im;
    const reply = await this.redis.eval(
      numberScript,
      keys.length,
      ...keys,
      randomBytes(6).toString("hex"),
      roomHistoryFrames,
      roomHistoryBytes,
      roomHistoryMs,
      roomStateMs,
      newEpochMs,
      ...given,
      ...frames.flatMap(({ roomId, head, tail, replaces }) => [
        (index.get(roomId) as number) + 1,
        head,
        tail,
        replaces ? 1 : 0,
      ]),
    );
    const [numbers, nodes] = reply as [[string, number][], (string[] | null)[]];
    return frames.map((unnumbered, i) => {
      const [epoch, seq] = numbers[i] as [string, number];
      const { roomId } = unnumbered;
      this.given.set(roomId, { epoch, seq });
      const frame = numberedFrame(unnumbered, seq, epoch);
      const members = nodes[index.get(roomId) as number] ?? undefined;
      return { roomId, seq, epoch, frame, nodes: members, ...carrying(unnumbered) };
    });
  }

  /** Numbers of this router, for frames that no history keeps and that must be sent to every node. */
  numberAlone(frames: readonly UnnumberedFrame[]): NumberedFrame[] {
    const epoch = this.ownEpoch;
    return frames.map((unnumbered) => {
      const { roomId } = unnumbered;
      const seq = (this.own.get(roomId) ?? 0) + 1;
      this.own.set(roomId, seq);
      const frame = numberedFrame(unnumbered, seq, epoch);
      return { roomId, seq, epoch, frame, nodes: undefined, ...carrying(unnumbered) };
    });
  }
}
