import { randomUUID } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { AnswerCache } from "../../mixins/answer-cache.ts";
import type { JetStreamState } from "../../mixins/jetstream.mixin.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { Rate, UserRate } from "../../mixins/user-rate.ts";
import { call } from "../contracts.ts";
import { closeCodes } from "../im-frames.ts";
import type { Limits } from "../limits-of.ts";
import type { RestrictionsState } from "../restrictions.mixin.ts";
import type { Connection } from "./connection.ts";
import { ConnectionRegistry } from "./connection-registry.ts";
import { EntryBattles } from "./entry-battles.ts";
import { ImMetrics } from "./im-metrics.ts";
import { NotificationStore } from "./notification-store.ts";
import { Notifications } from "./notifications.ts";
import { PresenceStore } from "./presence-store.ts";
import { ConnectRate } from "./rates.ts";
import { Replacements } from "./replacements.ts";
import { Rooms } from "./rooms.ts";
import { UnreportedAnchors } from "./unreported-anchors.ts";

/** For a call to a node that may be dead: a stop of this process does not wait for it. */
const mayBeDead = { timeout: limits.im.replaceTimeoutMs, tracking: false } as const;

const asking = { timeout: limits.im.battleAskTimeoutMs, tracking: false } as const;

const entering = { timeout: limits.attendance.anchorEnteredTimeoutMs, tracking: false } as const;

/** Why a banned user is closed, or not admitted. */
export const bannedText = "you are banned";

export type ImLimits = Limits<typeof limits.im>;

const suspectedCounter = {
  name: "ovation.im.suspected",
  description: "Connects that were closed because their address had given too many bad tokens",
} as const;

/** The connections of one im-server node, and the state that they share. */
export class ImNode {
  readonly connections = new ConnectionRegistry<Connection>();
  readonly metrics: ImMetrics;
  readonly rooms: Rooms;
  readonly battles: EntryBattles;
  readonly presence: PresenceStore;
  readonly notifications: Notifications;
  readonly connectRate: ConnectRate;
  readonly messageRate = new UserRate(
    new Rate(limits.im.messagesPerSecond, limits.im.messagesBurst),
    limits.im.userMessagesRemembered,
  );
  readonly unreported: UnreportedAnchors;
  /** Anchors of live rooms, `null` where a room is not live; `null` is not cached. */
  private readonly anchors: AnswerCache<number, string | null>;
  private readonly replacements: Replacements;
  readonly redis: RedisState["redis"];
  readonly broker: ServiceBroker;
  readonly log: Log;
  readonly limits: ImLimits;
  readonly restrictions: RestrictionsState["restrictions"];
  /** Fails: unavailable, while this node does not know who is banned. */
  readonly requireRestrictions: RestrictionsState["requireRestrictions"];
  /** Rooms whose number of members here changed since it was last written. */
  readonly changedRooms = new Set<number>();
  /** The watch numbers that were last reported, by room: changes are reported at once, others now and then. */
  readonly reportedWatch = new Map<number, number>();
  private readonly leaving = new Set<Promise<void>>();
  private suspectedLoggedAt = Number.NEGATIVE_INFINITY;
  draining = false;
  /** Called where Redis may have lost this node's entries; set by the maintenance. */
  onLost: () => void = () => {};

  constructor(parts: {
    jetstream: JetStreamState["jetstream"];
    redis: RedisState["redis"];
    broker: ServiceBroker;
    log: Log;
    limits: ImLimits;
    restrictions: RestrictionsState["restrictions"];
    requireRestrictions: RestrictionsState["requireRestrictions"];
  }) {
    const { jetstream, redis, broker, log } = parts;
    this.redis = redis;
    this.broker = broker;
    this.log = log;
    this.limits = parts.limits;
    this.restrictions = parts.restrictions;
    this.requireRestrictions = parts.requireRestrictions;
    broker.metrics.register({ type: "counter", ...suspectedCounter });
    this.metrics = new ImMetrics(broker);
    const { presenceLeaseMs, notificationResendMs: resendMs, roomLiveMs, replaceGatherMs: gatherMs } = this.limits;
    this.presence = new PresenceStore(redis, broker.nodeID, presenceLeaseMs);
    this.notifications = new Notifications({ store: new NotificationStore(jetstream, log), resendMs, log });
    this.connectRate = new ConnectRate(this.limits);
    const found = (anchorId: string | null) => anchorId !== null;
    this.anchors = new AnswerCache({ max: limits.room.cacheEntries, ttlMs: roomLiveMs, keeps: found });
    this.unreported = new UnreportedAnchors(
      (anchorId, roomId) => call(broker, "living-room.anchorEntered", { anchorId, roomId, late: true }, entering),
      log,
    );
    this.replacements = new Replacements({
      send: (nodeID, connectionIds) => call(broker, "im-server.replace", { connectionIds }, { nodeID, ...mayBeDead }),
      gatherMs,
      log,
    });
    this.battles = new EntryBattles({
      ask: (roomIds) => call(broker, "battle.ofRooms", { roomIds }, asking),
      newMsgId: randomUUID,
      log,
    });
    this.rooms = new Rooms({
      connections: this.connections,
      fetchMissed: (roomId, from) => this.presence.missed(roomId, from),
      onNewEpoch: (roomId) => {
        this.changedRooms.add(roomId);
        this.onLost();
      },
      onBattleState: (roomId) => this.battles.changed(roomId),
      sendBattle: (member) => this.battles.enter(member),
      log,
    });
  }

  /** Counts a connect that was closed for its address, and says so in the log now and then. */
  countSuspected(): void {
    this.broker.metrics.increment(suspectedCounter.name);
    const now = performance.now();
    if (now - this.suspectedLoggedAt < this.limits.suspectedLoggedMs) return;
    this.suspectedLoggedAt = now;
    this.log.warn(
      {},
      "an address gave too many bad tokens: its connects are closed before they are checked, and counted in the metrics",
    );
  }

  /** What was written to sockets: counted by the connections. */
  get sent(): { frames: number; bytes: number } {
    return this.metrics.sent;
  }

  get nodeId(): string {
    return this.broker.nodeID;
  }

  /**
   * The anchor of a live room, `null` where it is not live. Concurrent callers share one call. A live room is cached
   * for a much shorter time than the mark of a closed room keeps users out.
   */
  anchorOf(roomId: number): Promise<string | null> {
    const find = async () => (await call(this.broker, "living-room.find", { roomId }))?.anchorId ?? null;
    return this.anchors.get(roomId, find);
  }

  /** Registers the connection, and holds its room's frames for it from here on. */
  enter(connection: Connection): void {
    this.connections.add(connection);
    this.rooms.open(connection);
    this.changedRooms.add(connection.roomId);
  }

  /** Undoes `enter`, once, and removes the user's entry in Redis where it is still this connection's. */
  leave(connection: Connection): void {
    if (!this.connections.remove(connection)) return;
    this.notifications.forget(connection);
    if (this.rooms.closeIfEmpty(connection.roomId)) this.battles.forget(connection.roomId);
    this.changedRooms.add(connection.roomId);
    const left = this.presence.leave(connection).catch((error: Error) => {
      const about = { userId: connection.userId, connectionId: connection.connectionId, err: error };
      this.log.warn(about, "presence could not be removed: it expires with its lease");
    });
    this.leaving.add(left);
    void left.then(() => this.leaving.delete(left));
  }

  /**
   * Reports to the living-room service that the anchor enters her room; false where the room is closed. Where the
   * service does not answer, she is admitted and reported later.
   */
  async anchorEnters(anchorId: string, roomId: number): Promise<boolean> {
    try {
      const { live } = await call(this.broker, "living-room.anchorEntered", { anchorId, roomId }, entering);
      return live;
    } catch (error) {
      const about = { roomId, userId: anchorId, reportedLater: this.unreported.add(anchorId, roomId), err: error };
      this.log.warn(
        about,
        "living-room did not answer whether the room is live: the anchor is admitted and reported later",
      );
      return true;
    }
  }

  /** The rooms in which the user is connected to this node. */
  roomsHolding(members: readonly { userId: string; roomId: number }[]): number[] {
    return members
      .filter(({ userId, roomId }) => this.connections.ofUser(userId)?.roomId === roomId)
      .map(({ roomId }) => roomId);
  }

  /** Resolves once everybody who left is removed from Redis, or the removal failed. */
  async allLeft(): Promise<void> {
    await Promise.all(this.leaving);
  }

  /** Closes the connection of a user who was banned, everywhere (`roomId` null) or in the room. */
  putOut(userId: string, roomId: number | null): void {
    const connection = this.connections.ofUser(userId);
    if (connection && (roomId === null || roomId === connection.roomId))
      connection.close(closeCodes.banned, bannedText);
  }

  /** Closes a connection of this node that a newer one of the user replaced. */
  closeReplaced(connectionId: string): void {
    this.connections.byConnection(connectionId)?.close(closeCodes.replaced, "replaced by a newer connection");
  }

  /**
   * Closes a user's former connection, on any node. Where that node does not answer, the connection ends with its
   * lease.
   */
  replaceFormer({ nodeId, connectionId }: { nodeId: string; connectionId: string }): void {
    if (nodeId === this.nodeId) this.closeReplaced(connectionId);
    else this.replacements.add(nodeId, connectionId);
  }
}
