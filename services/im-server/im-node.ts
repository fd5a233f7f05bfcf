import type { ServiceBroker } from "moleculer";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { AnswerCache } from "../../mixins/answer-cache.ts";
import type { JetStreamState } from "../../mixins/jetstream.mixin.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { call } from "../contracts.ts";
import { closeCodes } from "../im-frames.ts";
import type { Limits } from "../limits-of.ts";
import type { Connection } from "./connection.ts";
import { ConnectionRegistry } from "./connection-registry.ts";
import { NotificationStore } from "./notification-store.ts";
import { Notifications } from "./notifications.ts";
import { PresenceStore } from "./presence-store.ts";
import { ConnectRate, Rate, UserRate } from "./rates.ts";
import { Replacements } from "./replacements.ts";
import { Rooms } from "./rooms.ts";
import { UnreportedAnchors } from "./unreported-anchors.ts";

/** Of a call to a node that may be dead: a stop does not wait for it. */
const mayBeDead = { timeout: limits.im.replaceTimeoutMs, tracking: false } as const;

const entering = { timeout: limits.attendance.anchorEnteredTimeoutMs, tracking: false } as const;

export type ImLimits = Limits<typeof limits.im>;

/** The connections of one im-server node and what belongs to them. */
export class ImNode {
  readonly connections = new ConnectionRegistry<Connection>();
  readonly rooms: Rooms;
  readonly presence: PresenceStore;
  readonly notifications: Notifications;
  readonly connectRate: ConnectRate;
  readonly messageRate = new UserRate(
    new Rate(limits.im.messagesPerSecond, limits.im.messagesBurst),
    limits.im.userMessagesRemembered,
  );
  readonly unreported: UnreportedAnchors;
  /** Anchors of live rooms, `null` where a room is not live; that is asked again by the next one. */
  private readonly anchors: AnswerCache<number, string | null>;
  private readonly replacements: Replacements;
  readonly redis: RedisState["redis"];
  readonly broker: ServiceBroker;
  readonly log: Log;
  readonly limits: ImLimits;
  /** Rooms whose number of members here changed since it was last written. */
  readonly changedRooms = new Set<number>();
  /** The watch numbers that were last reported of the rooms here: changes are reported at once, others now and then. */
  readonly reportedWatch = new Map<number, number>();
  private readonly leaving = new Set<Promise<void>>();
  draining = false;
  /** Called where Redis may have lost what this node wrote; set by the maintenance. */
  onLost: () => void = () => {};

  constructor(parts: {
    jetstream: JetStreamState["jetstream"];
    redis: RedisState["redis"];
    broker: ServiceBroker;
    log: Log;
    limits: ImLimits;
  }) {
    const { jetstream, redis, broker, log } = parts;
    this.redis = redis;
    this.broker = broker;
    this.log = log;
    this.limits = parts.limits;
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
    this.rooms = new Rooms({
      connections: this.connections,
      fetchMissed: (roomId, from) => this.presence.missed(roomId, from),
      onNewEpoch: (roomId) => {
        this.changedRooms.add(roomId);
        this.onLost();
      },
      log,
    });
  }

  get nodeId(): string {
    return this.broker.nodeID;
  }

  /**
   * The anchor of a live room, `null` where it is not live. Those who come in at about the same time share one call. A
   * live room is cached for far less than the time for which the mark of a closed room keeps people out.
   */
  anchorOf(roomId: number): Promise<string | null> {
    const find = async () => (await call(this.broker, "living-room.find", { roomId }))?.anchorId ?? null;
    return this.anchors.get(roomId, find);
  }

  /** Registers the connection, and holds its room's frames for it from here on. */
  enter(connection: Connection): void {
    this.connections.add(connection);
    this.rooms.open(connection.roomId);
    this.changedRooms.add(connection.roomId);
  }

  /** Undoes `enter`, once, and removes the user's entry in Redis where it is still this connection's. */
  leave(connection: Connection): void {
    if (!this.connections.remove(connection)) return;
    this.notifications.forget(connection);
    this.rooms.closeIfEmpty(connection.roomId);
    this.changedRooms.add(connection.roomId);
    const left = this.presence.leave(connection).catch((error: Error) => {
      const about = { userId: connection.userId, connectionId: connection.connectionId, err: error };
      this.log.warn(about, "presence not removed: it ends with its lease");
    });
    this.leaving.add(left);
    void left.then(() => this.leaving.delete(left));
  }

  /**
   * Reports to the living-room service that the anchor enters her room; false where the room is closed. Where the
   * service does not answer she is let in, and the report is made later.
   */
  async anchorEnters(anchorId: string, roomId: number): Promise<boolean> {
    try {
      const { live } = await call(this.broker, "living-room.anchorEntered", { anchorId, roomId }, entering);
      return live;
    } catch (error) {
      const about = { roomId, userId: anchorId, reportedLater: this.unreported.add(anchorId, roomId), err: error };
      this.log.warn(about, "living-room did not answer that the anchor enters: she is let in all the same");
      return true;
    }
  }

  /** Those of the rooms in which the user is connected here. */
  roomsHolding(members: readonly { userId: string; roomId: number }[]): number[] {
    return members
      .filter(({ userId, roomId }) => this.connections.ofUser(userId)?.roomId === roomId)
      .map(({ roomId }) => roomId);
  }

  /** Resolves once everybody who left is removed from Redis, or could not be. */
  async allLeft(): Promise<void> {
    await Promise.all(this.leaving);
  }

  /** Closes a connection here that a newer one of the user replaced. */
  closeReplaced(connectionId: string): void {
    this.connections.byConnection(connectionId)?.close(closeCodes.replaced, "replaced by a newer connection");
  }

  /** Closes a user's former connection, on whichever node it is. Where that does not answer, the lease ends it. */
  replaceFormer({ nodeId, connectionId }: { nodeId: string; connectionId: string }): void {
    if (nodeId === this.nodeId) this.closeReplaced(connectionId);
    else this.replacements.add(nodeId, connectionId);
  }
}
