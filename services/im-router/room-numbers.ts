import { randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { limits } from "../../config/limits.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { numberedFrame, type UnnumberedFrame, unkeptEpoch } from "../im-frames.ts";
import { imKeys } from "../im-keys.ts";

type Redis = RedisState["redis"];

export interface NumberedFrame {
  roomId: number;
  seq: number;
  epoch: string;
  frame: string;
  /** The nodes that hold members; `undefined` where nobody knows, or where the nodes may not have said so yet. */
  nodes: readonly string[] | undefined;
}

/**
 * Purpose: gives frames the next numbers of their rooms, keeps them in the rooms' capped histories, and says which nodes
 * hold members, in one step, so that a node that joins is either told or finds the frame in the history. A room without
 * state, or one whose state went back behind what was given already, starts a new epoch. Where an epoch is new, Redis may
 * have lost its nodes too and they may not have written themselves in again: then there is no list. A history is cut to
 * its newest frames, by their number and by their bytes, which the state counts. KEYS: state, log and nodes of each room.
 * ARGV: epoch for rooms that need one, frames, bytes and ms to keep, ms to keep a room's state, ms for which an epoch is
 * new; then epoch and seq that were given last for each room ('' and 0 where not known); then room (1 is the
 * first), head and tail of each frame. Replies {{epoch, seq} of each frame, {nodes} or nil of each room}. The text it
 * keeps is that of numberedFrame.
 */
const numberScript = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local rooms = #KEYS / 3
local epochs, nodes, numbers, bytes = {}, {}, {}, {}
for r = 1, rooms do
  local state = KEYS[r * 3 - 2]
  local at = redis.call('HMGET', state, 'epoch', 'seq', 'born', 'bytes')
  local behind = at[1] == ARGV[5 + r * 2] and tonumber(at[2]) < tonumber(ARGV[6 + r * 2])
  if not at[1] or behind then
    at[1], at[3] = ARGV[1], now
    redis.call('HSET', state, 'epoch', ARGV[1], 'seq', 0, 'born', now)
    redis.call('DEL', KEYS[r * 3 - 1])
  end
  epochs[r] = at[1]
  bytes[r] = redis.call('EXISTS', KEYS[r * 3 - 1]) == 1 and tonumber(at[4] or 0) or 0
  redis.call('ZREMRANGEBYSCORE', KEYS[r * 3], '-inf', now)
  nodes[r] = now - tonumber(at[3] or 0) >= tonumber(ARGV[6]) and redis.call('ZRANGE', KEYS[r * 3], 0, -1)
end
for a = 7 + rooms * 2, #ARGV, 3 do
  local r = tonumber(ARGV[a])
  local seq = redis.call('HINCRBY', KEYS[r * 3 - 2], 'seq', 1)
  local frame = ARGV[a + 1] .. '"seq":' .. seq .. ',"epoch":"' .. epochs[r] .. '"' .. ARGV[a + 2]
  redis.call('RPUSH', KEYS[r * 3 - 1], frame)
  bytes[r] = bytes[r] + #frame
  numbers[#numbers + 1] = {epochs[r], seq}
end
for r = 1, rooms do
  local log, kept = KEYS[r * 3 - 1], redis.call('LLEN', KEYS[r * 3 - 1])
  while kept > tonumber(ARGV[2]) or (bytes[r] > tonumber(ARGV[3]) and kept > 0) do
    bytes[r] = bytes[r] - #redis.call('LPOP', log)
    kept = kept - 1
  end
  redis.call('HSET', KEYS[r * 3 - 2], 'bytes', bytes[r])
  redis.call('PEXPIRE', log, ARGV[4])
  redis.call('PEXPIRE', KEYS[r * 3 - 2], ARGV[5])
end
return {numbers, nodes}`;

/** Gives room frames their numbers: by Redis, and without a history by itself while Redis is away. */
export class RoomNumbers {
  private readonly redis: Redis;
  private readonly given = new LRUCache<number, { epoch: string; seq: number }>({ max: limits.room.cacheEntries });
  private readonly own = new LRUCache<number, number>({ max: limits.room.cacheEntries });
  private readonly ownEpoch = unkeptEpoch(randomBytes(6).toString("hex"));

  constructor(redis: Redis) {
    this.redis = redis;
  }

  /** Rejects where Redis is away; frames may be numbered and kept all the same then. */
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
      ...frames.flatMap(({ roomId, head, tail }) => [(index.get(roomId) as number) + 1, head, tail]),
    );
    const [numbers, nodes] = reply as [[string, number][], (string[] | null)[]];
    return frames.map((unnumbered, i) => {
      const [epoch, seq] = numbers[i] as [string, number];
      const { roomId } = unnumbered;
      this.given.set(roomId, { epoch, seq });
      const frame = numberedFrame(unnumbered, seq, epoch);
      return { roomId, seq, epoch, frame, nodes: nodes[index.get(roomId) as number] ?? undefined };
    });
  }

  /** Numbers of this router alone, for frames that no history keeps and that must go to every node. */
  numberAlone(frames: readonly UnnumberedFrame[]): NumberedFrame[] {
    const epoch = this.ownEpoch;
    return frames.map((unnumbered) => {
      const { roomId } = unnumbered;
      const seq = (this.own.get(roomId) ?? 0) + 1;
      this.own.set(roomId, seq);
      return { roomId, seq, epoch, frame: numberedFrame(unnumbered, seq, epoch), nodes: undefined };
    });
  }
}
