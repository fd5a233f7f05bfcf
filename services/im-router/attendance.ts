import { randomBytes } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { fail } from "../../broker/failure.ts";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { AnswerCache } from "../../mixins/answer-cache.ts";
import { luaScript } from "../../mixins/redis/lua-script.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { call, type ParamsOf, type ResultOf } from "../contracts.ts";
import { imKeys } from "../im-keys.ts";
import type { NodeCalls } from "./node-calls.ts";

type Room = ParamsOf<"im-router.attendance">["rooms"][number];
type Answer = ResultOf<"im-router.attendance">;

const presenceEpoch = "im:presence";
const presenceNodes = "im:presence:nodes";

const epochScript = luaScript("services/im-router/lua/presence-epoch.lua");

const attendanceScript = luaScript("services/im-router/lua/attendance.lua");

const removeNodesScript = luaScript("services/im-router/lua/remove-nodes.lua");

interface Held {
  roomId: number;
  anchorId: string;
  anchorNode: string;
  anchorRoom: string;
  members: [node: string, members: number][];
}

/** The users in rooms: from the presence in Redis and, with `certain`, from the im-servers themselves. */
export class Attendance {
  private readonly redis: RedisState["redis"];
  private readonly broker: ServiceBroker;
  private readonly nodes: NodeCalls;
  private readonly log: Log;
  private readonly newEpochMs: number;
  private readonly startedAt = performance.now();
  /** Whether a node is dead, by its id. */
  private readonly pings = new AnswerCache<string, boolean>({ max: 1_000, ttlMs: limits.attendance.pingedMs });

  constructor(parts: {
    redis: RedisState["redis"];
    broker: ServiceBroker;
    nodes: NodeCalls;
    log: Log;
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
    if (performance.now() - this.startedAt < limits.attendance.routerSettleMs)
      throw fail("unavailable", { what: "im-router", why: "this router has just started" });
    const live = await this.nodes.live();
    let epoch: string | undefined;
    let held: Held[];
    try {
      epoch = await this.epoch(live);
      if (epoch === undefined) return { known: false };
      held = await this.held(rooms);
    } catch (error) {
      this.log.warn(
        { rooms: rooms.length, err: error },
        "presence cannot be read from Redis: the members of the rooms are not known",
      );
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

  /** Nodes that hold members in Redis, are not in the registry, and do not answer a ping. Node ids are never reused. */
  private async deadAmong(held: readonly Held[], live: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const named = new Set(held.flatMap(({ anchorNode, members }) => [anchorNode, ...members.map(([node]) => node)]));
    const unlisted = [...named].filter((node) => node !== "" && !live.has(node));
    const dead = await Promise.all(unlisted.map((node) => this.isDead(node)));
    return new Set(unlisted.filter((_, i) => dead[i]));
  }

  private isDead(node: string): Promise<boolean> {
    return this.pings.get(node, async () => (await this.broker.ping(node, limits.im.serverPingMs)) === null);
  }

  private async removeNodes(held: readonly Held[], dead: ReadonlySet<string>): Promise<void> {
    const rooms = held.filter(({ members }) => members.some(([node]) => dead.has(node)));
    if (rooms.length === 0) return;
    const keys = rooms.flatMap(({ roomId }) => [imKeys.roomNodes(roomId), imKeys.roomWatch(roomId)]);
    await this.redis.eval(removeNodesScript, keys.length, ...keys, ...dead).catch((error: Error) => {
      this.log.warn(
        { nodes: [...dead], err: error },
        "dead im-servers could not be removed from their rooms: they stay until their leases end",
      );
    });
    this.log.info({ nodes: [...dead], rooms: rooms.length }, "dead im-servers were removed from their rooms");
  }

  /**
   * The rooms whose anchor is connected to an im-server, whether Redis has her or not; `undefined` where one of them
   * does not answer.
   */
  private async askNodes(rooms: readonly Held[], live: readonly string[]): Promise<Set<number> | undefined> {
    const members = rooms.map(({ roomId, anchorId }) => ({ roomId, userId: anchorId }));
    const options = { timeout: limits.im.deliverTimeoutMs, tracking: false } as const;
    const asked = live.map((nodeID) => call(this.broker, "im-server.holding", { members }, { nodeID, ...options }));
    try {
      return new Set((await Promise.all(asked)).flatMap(({ roomIds }) => roomIds));
    } catch (error) {
      this.log.warn(
        { rooms: rooms.length, err: error },
        "an im-server did not answer whether anchors are connected to it: their rooms stay open",
      );
      return undefined;
    }
  }
}
