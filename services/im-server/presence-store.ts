import { randomBytes } from "node:crypto";
import { limits } from "../../config/limits.ts";
import { luaScript } from "../../mixins/redis/lua-script.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { imKeys } from "../im-keys.ts";
import type { KeptFrame, Missed, Position } from "./room-feed.ts";

type Redis = RedisState["redis"];

export interface Presence {
  userId: string;
  connectionId: string;
  roomId: number;
  /** ISO time. */
  since: string;
  /** Of two connections of a user the one with the higher generation is the newer: see im-tokens.ts. */
  generation: number;
}

/** `refused` where the room was just closed, or the user's entry is of a newer connection. */
export type Joined =
  | { refused: "closed" | "older" }
  | {
      refused?: undefined;
      replaced: { nodeId: string; connectionId: string } | undefined;
      position: Position;
      /** The frames that the client missed, oldest first; `undefined` where the history does not reach back far enough. */
      replay: KeptFrame[] | undefined;
    };

const watchedRooms = "im:watched";
const nodeMark = (nodeId: string) => `im:node:${nodeId}`;

const lua = (...names: string[]) => luaScript(...names.map((name) => `services/im-server/lua/${name}.lua`));

const joinScript = lua("now", "frames-after", "join");

const leaveScript = lua("leave");

const renewScript = lua("renew-users");

const touchScript = lua("now", "touch-rooms");

const desertedScript = lua("now", "take-deserted-rooms");

const missedScript = lua("frames-after", "missed-frames");

/** Frames as scripts reply them, each followed by its number. */
function keptFrames(reply: readonly string[]): KeptFrame[] {
  return Array.from({ length: reply.length / 2 }, (_, i) => ({
    frame: reply[2 * i] as string,
    seq: Number(reply[2 * i + 1]),
  }));
}

/** Presence in Redis (which user is connected where), as written by one node. Everything rejects without Redis. */
export class PresenceStore {
  private readonly redis: Redis;
  private readonly nodeId: string;
  private readonly leaseMs: number;
  /** The prefix of the epochs that `join` passes, a new one each time, for a room that has none. */
  private readonly epochs = randomBytes(6).toString("hex");
  private joins = 0;

  constructor(redis: Redis, nodeId: string, leaseMs: number) {
    this.redis = redis;
    this.nodeId = nodeId;
    this.leaseMs = leaseMs;
  }

  async join(presence: Presence, seen: Position | undefined): Promise<Joined> {
    const { userId, connectionId, roomId, since, generation } = presence;
    const { user, roomState, roomLog, roomNodes, roomClosed } = imKeys;
    const keys = [user(userId), roomState(roomId), roomLog(roomId), roomNodes(roomId), roomClosed(roomId)];
    const epoch = this.epochs + (this.joins++).toString(16);
    const args = [this.nodeId, connectionId, roomId, since, this.leaseMs, epoch, limits.im.roomStateMs];
    const reply = (await this.redis.eval(
      joinScript,
      keys.length,
      ...keys,
      ...args,
      seen?.seq ?? "",
      seen?.epoch ?? "",
      generation,
    )) as [number, string, string, string, number, number, string[]];
    if (reply[0] !== 1) return { refused: reply[0] === 0 ? "closed" : "older" };
    const [, node, connection, roomEpoch, seq, recovered, frames] = reply;
    const replaced = connection && connection !== connectionId ? { nodeId: node, connectionId: connection } : undefined;
    return { replaced, position: { epoch: roomEpoch, seq }, replay: recovered === 1 ? keptFrames(frames) : undefined };
  }

  async leave({ userId, connectionId }: Presence): Promise<void> {
    await this.redis.eval(leaveScript, 1, imKeys.user(userId), connectionId);
  }

  /**
   * Returns the ids of connections that another node has `replaced`, and of those whose entries were `lost` in Redis
   * and written again.
   */
  async renew(present: readonly Presence[]): Promise<{ replaced: string[]; lost: string[] }> {
    if (present.length === 0) return { replaced: [], lost: [] };
    const keys = present.map(({ userId }) => imKeys.user(userId));
    const args = present.flatMap((presence) => {
      const { connectionId, roomId, since, generation } = presence;
      return [connectionId, roomId, since, generation];
    });
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
    const reply = await this.redis.eval(missedScript, keys.length, ...keys, from.epoch, from.seq);
    const [epoch, seq, complete, frames] = reply as [string, number, number, string[]];
    return epoch ? { epoch, seq, complete: complete === 1, frames: keptFrames(frames) } : undefined;
  }

  /** True where this node's mark is missing: Redis is new or was wiped, and everything must be written again. */
  async forgotten(): Promise<boolean> {
    return (await this.redis.set(nodeMark(this.nodeId), 1, "PX", 10 * this.leaseMs, "NX")) === "OK";
  }

  async keepMark(): Promise<void> {
    await this.redis.pexpire(nodeMark(this.nodeId), 10 * this.leaseMs);
  }

  async removeMark(): Promise<void> {
    await this.redis.del(nodeMark(this.nodeId));
  }
}
