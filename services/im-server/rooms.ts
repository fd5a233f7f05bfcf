import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionRegistry } from "./connection-registry.ts";
import { type Missed, type Position, RoomFeed, type RoomFrame, type Step } from "./room-feed.ts";
import { wireText } from "./wire-text.ts";

interface Parts {
  connections: ConnectionRegistry<Connection>;
  /** Reads the room's history in Redis; `undefined` where the room has no state there. */
  fetchMissed: (roomId: number, from: Position) => Promise<Missed | undefined>;
  /** Called where the room has a new epoch: Redis may have lost its state, and everything else. */
  onNewEpoch: (roomId: number) => void;
  log: Log;
}

/** The rooms with members on this node. Sends a room's frames to its members. */
export class Rooms {
  private readonly feeds = new Map<number, RoomFeed>();
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Call it before reading the room's position: frames that arrive in between are held for `start`. */
  open(roomId: number): void {
    if (!this.feeds.has(roomId)) this.feeds.set(roomId, new RoomFeed(limits.im.heldRoomFrames));
  }

  start(roomId: number, position: Position): void {
    const feed = this.feeds.get(roomId);
    if (feed) this.follow(roomId, feed, feed.start(position));
  }

  /** Sends a frame to the members, at once or when it is next in order. */
  deliver(roomId: number, frame: RoomFrame): void {
    const feed = this.feeds.get(roomId);
    if (!feed) return;
    if (feed.isNewEpoch(frame.epoch)) this.parts.onNewEpoch(roomId);
    this.follow(roomId, feed, feed.offer(frame));
  }

  /** Fetches the frames that this node has missed of a room. */
  catchUp(roomId: number, position: Position): void {
    const feed = this.feeds.get(roomId);
    const from = feed?.behind(position);
    if (feed && from) this.repairSoon(roomId, feed, from);
  }

  /** Call it after a member left: removes a room without members on this node. */
  closeIfEmpty(roomId: number): void {
    if (this.parts.connections.inRoom(roomId).size === 0) this.feeds.delete(roomId);
  }

  private follow(roomId: number, feed: RoomFeed, { send, fetchAfter, lostUpTo }: Step): void {
    const { connections, log } = this.parts;
    if (lostUpTo) {
      log.warn(
        { roomId, ...lostUpTo },
        "missed room frames are lost: the members get a greeting with recovered false, and the room continues",
      );
      for (const member of connections.inRoom(roomId)) member.sendLost(lostUpTo);
    }
    for (const frame of send) {
      const wire = wireText(frame.frame);
      for (const member of connections.inRoom(roomId)) member.sendOfRoom(frame, wire);
    }
    if (fetchAfter) this.repairSoon(roomId, feed, fetchAfter);
  }

  private repairSoon(roomId: number, feed: RoomFeed, from: Position): void {
    this.repair(roomId, feed, from).catch((error: unknown) => {
      const about = { roomId, ...from, err: error };
      this.parts.log.warn(about, "missed room frames could not be sent: the room continues without them");
    });
  }

  private async repair(roomId: number, feed: RoomFeed, from: Position): Promise<void> {
    const missed = await this.parts.fetchMissed(roomId, from).catch((error: Error) => {
      this.parts.log.warn({ roomId, ...from, err: error }, "missed room frames cannot be fetched");
      return undefined;
    });
    if (this.feeds.get(roomId) !== feed) return;
    this.follow(roomId, feed, feed.repaired(missed));
  }
}
