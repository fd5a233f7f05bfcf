import { limits } from "../../config/limits.ts";
import type { Connection } from "./connection.ts";
import { type Missed, type Position, RoomFeed, type RoomFrame } from "./room-feed.ts";
import type { Roster } from "./roster.ts";

interface Log {
  warn(about: object, text: string): void;
}

type Step = { send: RoomFrame[]; fetchAfter?: Position };

/** The rooms that have members on this node, and the way of a room's frames to them. */
export class Rooms {
  private readonly feeds = new Map<number, RoomFeed>();
  private readonly roster: Roster<Connection>;
  private readonly fetchMissed: (roomId: number, from: Position) => Promise<Missed | undefined>;
  private readonly log: Log;

  constructor(
    roster: Roster<Connection>,
    fetchMissed: (roomId: number, from: Position) => Promise<Missed | undefined>,
    log: Log,
  ) {
    this.roster = roster;
    this.fetchMissed = fetchMissed;
    this.log = log;
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
    return feed ? this.follow(roomId, feed, feed.offer(frame)) : 0;
  }

  /** Fetches what this node has missed of a room that is further on in Redis. */
  catchUp(roomId: number, position: Position): void {
    const feed = this.feeds.get(roomId);
    const from = feed?.behind(position);
    if (feed && from) void this.repair(roomId, feed, from);
  }

  /** Call it after a member left: a room without members here is forgotten. */
  closeIfEmpty(roomId: number): void {
    if (this.roster.inRoom(roomId).size === 0) this.feeds.delete(roomId);
  }

  private follow(roomId: number, feed: RoomFeed, { send, fetchAfter }: Step): number {
    let sent = 0;
    for (const frame of send) sent += this.sendToMembers(roomId, frame);
    if (fetchAfter) void this.repair(roomId, feed, fetchAfter);
    return sent;
  }

  private sendToMembers(roomId: number, frame: RoomFrame): number {
    const bytes = Buffer.from(frame.frame);
    let sent = 0;
    for (const member of this.roster.inRoom(roomId)) if (member.sendOfRoom(frame, bytes)) sent++;
    return sent;
  }

  private async repair(roomId: number, feed: RoomFeed, from: Position): Promise<void> {
    const missed = await this.fetchMissed(roomId, from).catch((error: Error) => {
      this.log.warn({ roomId, ...from, err: error }, "missed room frames cannot be fetched: the room goes on without");
      return undefined;
    });
    if (this.feeds.get(roomId) !== feed) return;
    if (missed && !missed.complete)
      this.log.warn({ roomId, from, to: missed.seq }, "missed room frames are not kept any more: the room goes on");
    this.follow(roomId, feed, feed.repaired(missed));
  }
}
