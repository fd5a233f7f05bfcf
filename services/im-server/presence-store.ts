import { randomBytes } from "node:crypto";
import { limits } from "../../config/limits.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { imKeys } from "../im-keys.ts";
import type { Missed, Position } from "./room-feed.ts";

type Redis = RedisState["redis"];

export interface Presence {
  userId: string;
  connectionId: string;
  roomId: number;
  /** ISO time. */
  since: string;
  /** Of two connections of a user the one with the higher turn is the newer: see im-tokens.ts. */
  turn: number;
}

/** `refused` where the room was just closed, or a newer connection of the user is there already. */
export type Joined =
  | { refused: "closed" | "older" }
  | {
      refused?: undefined;
      replaced: { nodeId: string; connectionId: string } | undefined;
      position: Position;
      /** What the client missed; `undefined` where that cannot be had. */
      replay: string[] | undefined;
    };

const watchedRooms = "im:watched";
const alive = (nodeId: string) => `im:node:${nodeId}`;

/** The server's clock, so that nodes with clocks of their own agree on when a lease ends. */
const now = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)`;

/** Lua: the frames after \`since\` from a room's log, or nil where the log does not reach back that far. */
const after = `
local function after(log, seq, since, most)
  local missing = seq - since
  if missing < 0 or missing > most or missing > redis.call('LLEN', log) then return nil end
  if missing == 0 then return {} end
  return redis.call('LRANGE', log, -missing, -1)
end`;

/**
 * Purpose: makes a connection the user's one, its node a node of the room, and says where the room is, in one step, so
 * that every frame numbered later finds the node. KEYS: user, room state, log, nodes, closed mark. ARGV: node id,
 * connection id, room id, since (ISO), lease ms, epoch for a room without one, state ms, seq and epoch that the client
 * saw last ('' where it saw none), most frames to replay, turn. Replies {0} where the room was just closed, {2} where the
 * entry is of a higher turn (a node that was held up must not put an old connection over the newer one), else {1, node
 * and connection that were the user's before ('' where none), epoch, seq, 1 recovered or 0 not, frames to replay}.
 */
const joinScript = `${now}${after}
if redis.call('EXISTS', KEYS[5]) == 1 then return {0} end
local old = redis.call('HMGET', KEYS[1], 'node', 'conn', 'turn')
if tonumber(old[3] or 0) > tonumber(ARGV[11]) then return {2} end
redis.call('HSET', KEYS[1], 'node', ARGV[1], 'conn', ARGV[2], 'room', ARGV[3], 'since', ARGV[4], 'turn', ARGV[11])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('ZADD', KEYS[4], now + ARGV[5], ARGV[1])
redis.call('PEXPIRE', KEYS[4], ARGV[5])
local epoch = redis.call('HGET', KEYS[2], 'epoch')
if not epoch then
  epoch = ARGV[6]
  redis.call('HSET', KEYS[2], 'epoch', epoch, 'seq', 0, 'born', now)
  redis.call('DEL', KEYS[3])
end
redis.call('PEXPIRE', KEYS[2], ARGV[7])
local seq = tonumber(redis.call('HGET', KEYS[2], 'seq'))
local frames = nil
if ARGV[8] ~= '' and ARGV[9] == epoch then frames = after(KEYS[3], seq, tonumber(ARGV[8]), tonumber(ARGV[10])) end
return {1, old[1] or '', old[2] or '', epoch, seq, frames and 1 or 0, frames or {}}`;

/**
 * Purpose: removes a user's entry where it is still the given connection's. KEYS: user. ARGV: connection id. Replies 1
 * where it was removed, else 0.
 */
const leaveScript = `
if redis.call('HGET', KEYS[1], 'conn') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

/**
 * Purpose: renews the leases of a node's users, and writes entries that are lost. KEYS: users. ARGV: node id, lease ms,
 * then connection id, room id, since and turn of each. Replies {ids of the connections that others have replaced, ids of those
 * whose entry was lost}.
 */
const renewScript = `
local replaced, lost = {}, {}
for i = 1, #KEYS do
  local conn, room, since, turn = ARGV[i * 4 - 1], ARGV[i * 4], ARGV[i * 4 + 1], ARGV[i * 4 + 2]
  local holder = redis.call('HGET', KEYS[i], 'conn')
  if not holder then
    redis.call('HSET', KEYS[i], 'node', ARGV[1], 'conn', conn, 'room', room, 'since', since, 'turn', turn)
    holder = conn
    lost[#lost + 1] = conn
  end
  if holder == conn then redis.call('PEXPIRE', KEYS[i], ARGV[2]) else replaced[#replaced + 1] = conn end
end
return {replaced, lost}`;

/**
 * Purpose: writes a node's members of rooms, with a lease, and sums the rooms up over the live nodes. KEYS: the set of
 * watched rooms, then nodes, watch and state of each room. ARGV: node id, lease ms, then room id and members of each; 0
 * members take the node out. A room that has become empty stays watched for a lease more. Replies {members on all nodes,
 * epoch or '', seq} of each.
 */
const touchScript = `${now}
local replies = {}
for i = 1, (#KEYS - 1) / 3 do
  local nodes, watch, state = KEYS[i * 3 - 1], KEYS[i * 3], KEYS[i * 3 + 1]
  local room, members = ARGV[i * 2 + 1], tonumber(ARGV[i * 2 + 2])
  if members > 0 then
    redis.call('ZADD', nodes, now + ARGV[2], ARGV[1])
    redis.call('HSET', watch, ARGV[1], members)
    redis.call('PEXPIRE', nodes, ARGV[2])
    redis.call('PEXPIRE', watch, ARGV[2])
  else
    redis.call('ZREM', nodes, ARGV[1])
    redis.call('HDEL', watch, ARGV[1])
  end
  redis.call('ZREMRANGEBYSCORE', nodes, '-inf', now)
  local sum = 0
  for _, node in ipairs(redis.call('ZRANGE', nodes, 0, -1)) do
    sum = sum + tonumber(redis.call('HGET', watch, node) or 0)
  end
  if sum > 0 then redis.call('ZADD', KEYS[1], now + ARGV[2], room)
  else redis.call('ZADD', KEYS[1], 'XX', now + ARGV[2], room) end
  local at = redis.call('HMGET', state, 'epoch', 'seq')
  replies[i] = {sum, at[1] or '', tonumber(at[2] or 0)}
end
return replies`;

/**
 * Purpose: takes out the rooms that nobody has renewed: their last members left a lease ago, or their nodes died with
 * all members. KEYS: the set of watched rooms. ARGV: most rooms. Replies their ids.
 */
const desertedScript = `${now}
local rooms = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, room in ipairs(rooms) do redis.call('ZREM', KEYS[1], room) end
return rooms`;

/**
 * Purpose: what a room sent after a position. KEYS: state, log. ARGV: epoch, seq, most frames. Replies {epoch or '',
 * seq, 1 complete or 0 not, frames}; in an epoch other than the asked one that is everything since its start.
 */
const missedScript = `${after}
local at = redis.call('HMGET', KEYS[1], 'epoch', 'seq')
if not at[1] then return {'', 0, 0, {}} end
local since = at[1] == ARGV[1] and tonumber(ARGV[2]) or 0
local frames = after(KEYS[2], tonumber(at[2]), since, tonumber(ARGV[3]))
return {at[1], tonumber(at[2]), frames and 1 or 0, frames or {}}`;

/** Who is connected where, in Redis, as one node writes it. Everything rejects where Redis is away. */
export class PresenceStore {
  private readonly redis: Redis;
  private readonly nodeId: string;
  private readonly leaseMs: number;
  /** Each join brings an epoch that was never there, in case that the room has none. */
  private readonly epochs = randomBytes(6).toString("hex");
  private joins = 0;

  constructor(redis: Redis, nodeId: string, leaseMs: number = limits.im.presenceLeaseMs) {
    this.redis = redis;
    this.nodeId = nodeId;
    this.leaseMs = leaseMs;
  }

  async join(presence: Presence, seen: Position | undefined): Promise<Joined> {
    const { userId, connectionId, roomId, since, turn } = presence;
    const { user, roomState, roomLog, roomNodes, roomClosed } = imKeys;
    const keys = [user(userId), roomState(roomId), roomLog(roomId), roomNodes(roomId), roomClosed(roomId)];
    const epoch = this.epochs + (this.joins++).toString(16);
    const { roomStateMs, roomHistoryFrames } = limits.im;
    const args = [this.nodeId, connectionId, roomId, since, this.leaseMs, epoch, roomStateMs];
    const reply = (await this.redis.eval(
      joinScript,
      keys.length,
      ...keys,
      ...args,
      seen?.seq ?? "",
      seen?.epoch ?? "",
      roomHistoryFrames,
      turn,
    )) as [number, string, string, string, number, number, string[]];
    if (reply[0] !== 1) return { refused: reply[0] === 0 ? "closed" : "older" };
    const [, node, connection, roomEpoch, seq, recovered, frames] = reply;
    const replaced = connection && connection !== connectionId ? { nodeId: node, connectionId: connection } : undefined;
    return { replaced, position: { epoch: roomEpoch, seq }, replay: recovered === 1 ? frames : undefined };
  }

  async leave({ userId, connectionId }: Presence): Promise<void> {
    await this.redis.eval(leaveScript, 1, imKeys.user(userId), connectionId);
  }

  /** Resolves to the ids of connections: `replaced` elsewhere without this node hearing of it, and `lost` in Redis. */
  async renew(present: readonly Presence[]): Promise<{ replaced: string[]; lost: string[] }> {
    if (present.length === 0) return { replaced: [], lost: [] };
    const keys = present.map(({ userId }) => imKeys.user(userId));
    const args = present.flatMap(({ connectionId, roomId, since, turn }) => [connectionId, roomId, since, turn]);
    const reply = await this.redis.eval(renewScript, keys.length, ...keys, this.nodeId, this.leaseMs, ...args);
    const [replaced, lost] = reply as [string[], string[]];
    return { replaced, lost };
  }

  async touchRooms(rooms: readonly { roomId: number; members: number }[]) {
    if (rooms.length === 0) return [];
    const { roomNodes, roomWatch, roomState } = imKeys;
    const keys = rooms.flatMap(({ roomId }) => [roomNodes(roomId), roomWatch(roomId), roomState(roomId)]);
    const args = rooms.flatMap(({ roomId, members }) => [roomId, members]);
    const reply = (await this.redis.eval(
      touchScript,
      keys.length + 1,
      watchedRooms,
      ...keys,
      this.nodeId,
      this.leaseMs,
      ...args,
    )) as [number, string, number][];
    return reply.map(([watchNum, epoch, seq], i) => ({
      roomId: (rooms[i] as { roomId: number }).roomId,
      watchNum,
      position: epoch ? { epoch, seq } : undefined,
    }));
  }

  async desertedRooms(): Promise<number[]> {
    const reply = await this.redis.eval(desertedScript, 1, watchedRooms, limits.im.presenceBatch);
    return (reply as string[]).map(Number);
  }

  async missed(roomId: number, from: Position): Promise<Missed | undefined> {
    const keys = [imKeys.roomState(roomId), imKeys.roomLog(roomId)];
    const most = limits.im.roomHistoryFrames;
    const reply = await this.redis.eval(missedScript, keys.length, ...keys, from.epoch, from.seq, most);
    const [epoch, seq, complete, frames] = reply as [string, number, number, string[]];
    return epoch ? { epoch, seq, complete: complete === 1, frames } : undefined;
  }

  /** True where this node's mark is gone: Redis is new or was wiped, and everything is to be written again. */
  async forgotten(): Promise<boolean> {
    return (await this.redis.set(alive(this.nodeId), 1, "PX", 10 * this.leaseMs, "NX")) === "OK";
  }

  async keepMark(): Promise<void> {
    await this.redis.pexpire(alive(this.nodeId), 10 * this.leaseMs);
  }

  async removeMark(): Promise<void> {
    await this.redis.del(alive(this.nodeId));
  }
}
