import type { Service, ServiceBroker } from "moleculer";
import { limits } from "../../config/limits.ts";
import type { JetStreamState } from "../../mixins/jetstream.mixin.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { call } from "../contracts.ts";
import { closeCodes } from "../im-frames.ts";
import { ConnectRate } from "./connect-rate.ts";
import type { Connection } from "./connection.ts";
import { LiveRooms } from "./live-rooms.ts";
import { NoticeStore } from "./notice-store.ts";
import { Notices } from "./notices.ts";
import { type Presence, PresenceStore } from "./presence-store.ts";
import { Rate } from "./rate.ts";
import { Replacements } from "./replacements.ts";
import { Rooms } from "./rooms.ts";
import { Roster } from "./roster.ts";
import { UntoldAnchors } from "./untold-anchors.ts";
import { UserRate } from "./user-rate.ts";

const perhapsDead = { timeout: limits.im.replaceTimeoutMs, tracking: false } as const;

const entering = { timeout: limits.attendance.anchorEnteredTimeoutMs, tracking: false } as const;

/** What a node may be told to do otherwise, for tests; the defaults are in config/limits.ts. */
export interface ImSettings {
  silenceMs: number;
  presenceLeaseMs: number;
  presenceRefreshMs: number;
  watchFlushMs: number;
  sendQueueBytes: number;
  closeGraceMs: number;
  drainMs: number;
  drainPortion: number;
  noticeResendMs: number;
  connectionsPerNode: number;
  connectsPerSecond: number;
  connectsBurst: number;
  userConnectsPerMinute: number;
  userConnectsBurst: number;
  loginMs: number;
  pingAfterMs: number;
  pongMs: number;
  noticesCheckMs: number;
}

/** The connections of one im-server node and what belongs to them. */
export class ImNode {
  readonly roster = new Roster<Connection>();
  readonly rooms: Rooms;
  readonly presence: PresenceStore;
  readonly notices: Notices;
  readonly connectRate: ConnectRate;
  readonly messageRate = new UserRate(
    new Rate(limits.im.messagesPerSecond, limits.im.messagesBurst),
    limits.im.userMessagesRemembered,
  );
  readonly liveRooms: LiveRooms;
  readonly untold: UntoldAnchors;
  private readonly replacements: Replacements;
  readonly redis: RedisState["redis"];
  readonly broker: ServiceBroker;
  readonly log: Service["logger"];
  readonly settings: ImSettings;
  /** Rooms whose number of members here changed since it was last written. */
  readonly changedRooms = new Set<number>();
  /** What was last reported of the rooms here, so that changes are at once and the rest from time to time. */
  readonly reportedWatch = new Map<number, number>();
  private readonly leaving = new Set<Promise<void>>();
  draining = false;
  /** Called where Redis may have lost what this node wrote; set by its upkeep. */
  onLost: () => void = () => {};

  constructor(parts: {
    jetstream: JetStreamState["jetstream"];
    redis: RedisState["redis"];
    broker: ServiceBroker;
    log: Service["logger"];
    settings: ImSettings;
  }) {
    this.redis = parts.redis;
    this.broker = parts.broker;
    this.log = parts.log;
    this.settings = parts.settings;
    this.presence = new PresenceStore(parts.redis, parts.broker.nodeID, parts.settings.presenceLeaseMs);
    const fetch = (roomId: number, from: { epoch: string; seq: number }) => this.presence.missed(roomId, from);
    this.notices = new Notices({
      store: new NoticeStore(parts.jetstream, parts.log),
      resendMs: parts.settings.noticeResendMs,
      log: parts.log,
    });
    this.connectRate = new ConnectRate(parts.settings);
    this.liveRooms = new LiveRooms(
      async (roomId) => (await call(parts.broker, "living-room.find", { roomId }))?.anchorId ?? null,
    );
    this.untold = new UntoldAnchors({
      tell: (anchorId, roomId) =>
        call(parts.broker, "living-room.anchorEntered", { anchorId, roomId, late: true }, entering),
      log: parts.log,
    });
    this.replacements = new Replacements({
      tell: (nodeID, connectionIds) =>
        call(parts.broker, "im-server.replace", { connectionIds }, { nodeID, ...perhapsDead }),
      gatherMs: limits.im.replaceGatherMs,
      log: parts.log,
    });
    const onNewEpoch = (roomId: number) => {
      this.changedRooms.add(roomId);
      this.onLost();
    };
    this.rooms = new Rooms({ roster: this.roster, fetchMissed: fetch, onNewEpoch, log: parts.log });
  }

  get nodeId(): string {
    return this.broker.nodeID;
  }

  /** Counts the connection in and keeps its room's frames for it from now on. */
  enter(connection: Connection): void {
    this.roster.add(connection);
    this.rooms.open(connection.roomId);
    this.changedRooms.add(connection.roomId);
  }

  /** Undoes `enter`, once, and takes the user's entry out of Redis where it is still this connection's. */
  leave(connection: Connection): void {
    if (!this.roster.remove(connection)) return;
    this.notices.forget(connection);
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
   * service does not answer she is let in, and it is told later that she was there.
   */
  async anchorEnters(anchorId: string, roomId: number): Promise<boolean> {
    try {
      const { live } = await call(this.broker, "living-room.anchorEntered", { anchorId, roomId }, entering);
      return live;
    } catch (error) {
      const about = { roomId, userId: anchorId, toldLater: this.untold.add(anchorId, roomId), err: error };
      this.log.warn(about, "living-room does not know that the anchor enters: she is let in all the same");
      return true;
    }
  }

  /** Those of the rooms in which the user is connected here. */
  roomsHolding(members: readonly { userId: string; roomId: number }[]): number[] {
    return members
      .filter(({ userId, roomId }) => this.roster.ofUser(userId)?.roomId === roomId)
      .map(({ roomId }) => roomId);
  }

  /** Resolves once Redis has heard of everybody who left. */
  async allLeft(): Promise<void> {
    await Promise.all(this.leaving);
  }

  /** Closes a connection here that a newer one of the user replaced. */
  closeReplaced(connectionId: string): boolean {
    const connection = this.roster.byConnection(connectionId);
    connection?.close(closeCodes.replaced, "replaced by a newer connection");
    return connection !== undefined;
  }

  /** Lets go of a user's former connection, wherever it is. Where its node does not answer, its lease ends it. */
  replaceFormer({ nodeId, connectionId }: { nodeId: string; connectionId: string }): void {
    if (nodeId === this.nodeId) this.closeReplaced(connectionId);
    else this.replacements.add(nodeId, connectionId);
  }

  /** The connections that stand in Redis, as they stand there. */
  presences(): Presence[] {
    return this.roster.claimed();
  }
}
