import { limits } from "../../config/limits.ts";
import type { Connection } from "./connection.ts";
import { wireText } from "./im-socket.ts";
import { type Missed, type Position, RoomFeed, type RoomFrame, type Step } from "./room-feed.ts";
import type { Roster } from "./roster.ts";

interface Log {
  warn(about: object, text: string): void;
}

/** The rooms that have members on this node, and the way of a room's frames to them. */
export class Rooms {
  private readonly feeds = new Map<number, RoomFeed>();
  private readonly roster: Roster<Connection>;
  private readonly fetchMissed: (roomId: number, from: Position) => Promise<Missed | undefined>;
  private readonly onNewEpoch: (roomId: number) => void;
  private readonly log: Log;

  /** `onNewEpoch` hears of rooms whose state was made anew, perhaps since Redis lost it and everything else. */
  constructor(parts: {
    roster: Roster<Connection>;
    fetchMissed: (roomId: number, from: Position) => Promise<Missed | undefined>;
    onNewEpoch: (roomId: number) => void;
    log: Log;
  }) {
    this.roster = parts.roster;
    this.fetchMissed = parts.fetchMissed;
    this.onNewEpoch = parts.onNewEpoch;
    this.log = parts.log;
  }

  /** Call it before the room's position is asked for: frames that come in between are kept for `start`. */
  open(roomId: number): void {
    if (!this.feeds.has(roomId)) this.feeds.set(roomId, new RoomFeed(limits.im.heldRoomFrames));
  }

  start(roomId: number, position: Position): void {
    const feed = this.feeds.get(roomId);
    if (feed) this.follow(roomId, feed, feed.start(position));
  }

  /** Returns how many members the frame was sent to now; one that waits for its turn counts for none. */
  deliver(roomId: number, frame: RoomFrame): number {
    const feed = this.feeds.get(roomId);
    if (!feed) return 0;
    if (feed.isNewEpoch(frame.epoch)) this.onNewEpoch(roomId);
    return this.follow(roomId, feed, feed.offer(frame));
  }

  /** Fetches what this node has missed of a room that is further on in Redis. */
  catchUp(roomId: number, position: Position): void {
    const feed = this.feeds.get(roomId);
    const from = feed?.behind(position);
    if (feed && from) this.repairSoon(roomId, feed, from);
  }

  /** Call it after a member left: a room without members here is forgotten. */
  closeIfEmpty(roomId: number): void {
    if (this.roster.inRoom(roomId).size === 0) this.feeds.delete(roomId);
  }

  private follow(roomId: number, feed: RoomFeed, { send, fetchAfter, lostUpTo }: Step): number {
    let sent = 0;
    if (lostUpTo) {
      this.log.warn({ roomId, ...lostUpTo }, "missed room frames are lost: the members are told, the room goes on");
      for (const member of this.roster.inRoom(roomId)) member.tellLost(lostUpTo);
    }
    for (const frame of send) sent += this.sendToMembers(roomId, frame);
    if (fetchAfter) this.repairSoon(roomId, feed, fetchAfter);
    return sent;
  }

  private sendToMembers(roomId: number, frame: RoomFrame): number {
    const wire = wireText(frame.frame);
    let sent = 0;
    for (const member of this.roster.inRoom(roomId)) if (member.sendOfRoom(frame, wire)) sent++;
    return sent;
  }

  private repairSoon(roomId: number, feed: RoomFeed, from: Position): void {
    this.repair(roomId, feed, from).catch((error: unknown) => {
      this.log.warn({ roomId, ...from, err: error }, "missed room frames could not be sent: the room goes on without");
    });
  }

  private async repair(roomId: number, feed: RoomFeed, from: Position): Promise<void> {
    const missed = await this.fetchMissed(roomId, from).catch((error: Error) => {
      this.log.warn({ roomId, ...from, err: error }, "missed room frames cannot be fetched");
      return undefined;
    });
    if (this.feeds.get(roomId) !== feed) return;
    this.follow(roomId, feed, feed.repaired(missed));
  }
}
