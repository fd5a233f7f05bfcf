import { randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Service, ServiceBroker } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { call, type ParamsOf, type ResultOf } from "../contracts.ts";
import { imKeys } from "../im-keys.ts";
import type { NodeCalls } from "./node-calls.ts";

type Room = ParamsOf<"im-router.attendance">["rooms"][number];
type Answer = ResultOf<"im-router.attendance">;

const presenceEpoch = "im:presence";
const presenceNodes = "im:presence:nodes";

/**
 * Purpose: how long the presence in Redis has been complete. A new epoch of the presence begins when Redis has lost the
 * last one, or when no im-server of the last call is left: every client has to connect again then. KEYS: epoch, the
 * im-servers of the last call. ARGV: id of a new epoch, then the live im-servers. Replies {epoch, its age in ms}, or
 * nil where there is no im-server.
 */
const epochScript = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if #ARGV == 1 then
  redis.call('DEL', KEYS[1], KEYS[2])
  return nil
end
local known = false
for i = 2, #ARGV do known = redis.call('SISMEMBER', KEYS[2], ARGV[i]) == 1 or known end
local at = redis.call('HMGET', KEYS[1], 'epoch', 'born')
if not known or not at[1] then
  at = {ARGV[1], now}
  redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'born', now)
end
redis.call('DEL', KEYS[2])
redis.call('SADD', KEYS[2], unpack(ARGV, 2))
return {at[1], now - tonumber(at[2])}`;

/**
 * Purpose: where the anchors of rooms are, and who holds members of the rooms. KEYS: anchor, nodes and watch of each room.
 * Replies {anchor's node or '', anchor's room or '', {node, members there, ...}} of each.
 */
const attendanceScript = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local replies = {}
for r = 1, #KEYS / 3 do
  local at = redis.call('HMGET', KEYS[r * 3 - 2], 'node', 'room')
  local held = {}
  for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[r * 3 - 1], '(' .. now, '+inf')) do
    held[#held + 1] = node
    held[#held + 1] = tonumber(redis.call('HGET', KEYS[r * 3], node) or 0)
  end
  replies[r] = {at[1] or '', at[2] or '', held}
end
return replies`;

/**
 * Purpose: removes dead nodes from rooms, so that the numbers that live nodes report do not include their members.
 * KEYS: nodes and watch of each room. ARGV: the dead nodes.
 */
const removeNodesScript = `
for r = 1, #KEYS / 2 do
  redis.call('ZREM', KEYS[r * 2 - 1], unpack(ARGV))
  redis.call('HDEL', KEYS[r * 2], unpack(ARGV))
end
return 1`;

interface Held {
  roomId: number;
  anchorId: string;
  anchorNode: string;
  anchorRoom: string;
  members: [node: string, members: number][];
}

/** Who is in which room: from the presence in Redis and, with `certain`, from the im-servers themselves. */
export class Attendance {
  private readonly redis: RedisState["redis"];
  private readonly broker: ServiceBroker;
  private readonly nodes: NodeCalls;
  private readonly log: Service["logger"];
  private readonly newEpochMs: number;
  private readonly startedAt = performance.now();
  private readonly dead = new LRUCache<string, Promise<boolean>>({ max: 1_000, ttl: limits.look.pingedMs });

  constructor(parts: {
    redis: RedisState["redis"];
    broker: ServiceBroker;
    nodes: NodeCalls;
    log: Service["logger"];
    newEpochMs: number;
  }) {
    this.redis = parts.redis;
    this.broker = parts.broker;
    this.nodes = parts.nodes;
    this.log = parts.log;
    this.newEpochMs = parts.newEpochMs;
  }

  /** Fails: unavailable, while this router may not have seen all im-servers yet. */
  async of(rooms: readonly Room[], certain: boolean): Promise<Answer> {
    if (performance.now() - this.startedAt < limits.look.routerSettleMs)
      throw fail("unavailable", { what: "im-router", why: "it has just started" });
    const live = await this.nodes.live();
    let epoch: string | undefined;
    let held: Held[];
    try {
      epoch = await this.epoch(live);
      if (epoch === undefined) return { known: false };
      held = await this.held(rooms);
    } catch (error) {
      this.log.warn({ rooms: rooms.length, err: error }, "who is in the rooms cannot be read from Redis");
      return { known: false };
    }
    const dead = await this.deadAmong(held, new Set(live));
    if (dead.size > 0) await this.removeNodes(held, dead);
    const here = (room: Held) => room.anchorRoom === String(room.roomId) && !dead.has(room.anchorNode);
    const missing = certain ? held.filter((room) => !here(room)) : [];
    const found = missing.length > 0 ? await this.askNodes(missing, live) : new Set<number>();
    const anchorOf = (room: Held) => here(room) || (found === undefined ? null : found.has(room.roomId));
    return {
      known: true,
      epoch,
      rooms: held.map((room) => ({
        roomId: room.roomId,
        members: room.members.reduce((sum, [node, members]) => sum + (dead.has(node) ? 0 : members), 0),
        anchor: anchorOf(room),
      })),
    };
  }

  /**
   * `undefined` where there is no im-server, or while the epoch is younger than `newEpochMs`: presence may be
   * incomplete.
   */
  private async epoch(live: readonly string[]): Promise<string | undefined> {
    const id = randomBytes(8).toString("hex");
    const reply = await this.redis.eval(epochScript, 2, presenceEpoch, presenceNodes, id, ...live);
    const [epoch, ageMs] = (reply as [string, number] | null) ?? ["", 0];
    return epoch !== "" && ageMs >= this.newEpochMs ? epoch : undefined;
  }

  private async held(rooms: readonly Room[]): Promise<Held[]> {
    const keys = rooms.flatMap(({ roomId, anchorId }) => [
      imKeys.user(anchorId),
      imKeys.roomNodes(roomId),
      imKeys.roomWatch(roomId),
    ]);
    const replies = await this.redis.eval(attendanceScript, keys.length, ...keys);
    return (replies as [string, string, (string | number)[]][]).map(([anchorNode, anchorRoom, pairs], i) => ({
      ...(rooms[i] as Room),
      anchorNode,
      anchorRoom,
      members: Array.from({ length: pairs.length / 2 }, (_, at) => [String(pairs[at * 2]), Number(pairs[at * 2 + 1])]),
    }));
  }

  /**
   * Nodes that hold members, are not among the live ones, and do not answer a ping either. Node ids are never reused.
   */
  private async deadAmong(held: readonly Held[], live: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const named = new Set(held.flatMap(({ anchorNode, members }) => [anchorNode, ...members.map(([node]) => node)]));
    const unlisted = [...named].filter((node) => node !== "" && !live.has(node));
    const dead = await Promise.all(unlisted.map((node) => this.isDead(node)));
    return new Set(unlisted.filter((_, i) => dead[i]));
  }

  private isDead(node: string): Promise<boolean> {
    const known = this.dead.get(node);
    if (known) return known;
    const answer = this.broker.ping(node, limits.im.serverPingMs).then((pong) => pong === null);
    this.dead.set(node, answer);
    return answer;
  }

  private async removeNodes(held: readonly Held[], dead: ReadonlySet<string>): Promise<void> {
    const rooms = held.filter(({ members }) => members.some(([node]) => dead.has(node)));
    if (rooms.length === 0) return;
    const keys = rooms.flatMap(({ roomId }) => [imKeys.roomNodes(roomId), imKeys.roomWatch(roomId)]);
    await this.redis.eval(removeNodesScript, keys.length, ...keys, ...dead).catch((error: Error) => {
      this.log.warn({ nodes: [...dead], err: error }, "dead im-servers stay in their rooms until their leases end");
    });
    this.log.info({ nodes: [...dead], rooms: rooms.length }, "dead im-servers were taken out of their rooms");
  }

  /** The rooms whose anchor an im-server holds, in Redis or not; `undefined` where one of them does not answer. */
  private async askNodes(rooms: readonly Held[], live: readonly string[]): Promise<Set<number> | undefined> {
    const members = rooms.map(({ roomId, anchorId }) => ({ roomId, userId: anchorId }));
    const options = { timeout: limits.im.deliverTimeoutMs, tracking: false } as const;
    const asked = live.map((nodeID) => call(this.broker, "im-server.holding", { members }, { nodeID, ...options }));
    try {
      return new Set((await Promise.all(asked)).flatMap(({ roomIds }) => roomIds));
    } catch (error) {
      this.log.warn({ rooms: rooms.length, err: error }, "an im-server does not say whether it holds the anchors");
      return undefined;
    }
  }
}
