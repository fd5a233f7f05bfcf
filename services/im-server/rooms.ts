import { LRUCache } from "lru-cache";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { isBattleState } from "../im-frames.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionRegistry } from "./connection-registry.ts";
import { FrameForms } from "./frame-forms.ts";
import { type KeptFrame, type Missed, type Position, RoomFeed, type RoomFrame, type Step } from "./room-feed.ts";

interface Parts {
  connections: ConnectionRegistry<Connection>;
  /** Reads the room's history in Redis; `undefined` where the room has no state there. */
  fetchMissed: (roomId: number, from: Position) => Promise<Missed | undefined>;
  /** Called where the room has a new epoch: Redis may have lost its state, and everything else. */
  onNewEpoch: (roomId: number) => void;
  /** Called where the room's members are sent the state of a battle. */
  onBattleState: (roomId: number) => void;
  /** Sends a member the state of the room's battle, where there is one. */
  sendBattle: (member: Connection) => void;
  log: Log;
}

type RoomOf = Pick<Connection, "roomId" | "anchorId">;

interface Room {
  feed: RoomFeed;
  anchorId: string;
}

/** The rooms with members on this node. Sends a room's frames to its members. */
export class Rooms {
  private readonly rooms = new Map<number, Room>();
  /** Frames of the history that were replayed last: many clients come back at once, and miss the same frames. */
  private readonly replayed = new LRUCache<string, FrameForms>({ maxSize: limits.im.replayedChars });
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Call it before reading the room's position: frames that arrive in between are held for `start`. */
  open({ roomId, anchorId }: RoomOf): void {
    if (this.rooms.has(roomId)) return;
    this.rooms.set(roomId, { feed: new RoomFeed(limits.im.heldRoomFrames), anchorId });
  }

  start(roomId: number, position: Position): void {
    const room = this.rooms.get(roomId);
    if (room) this.follow(roomId, room, room.feed.start(position));
  }

  /** Sends a frame to the members, at once or when it is next in order. */
  deliver(roomId: number, frame: RoomFrame): void {
    const room = this.rooms.get(roomId);
    if (!room) return;
    if (room.feed.isNewEpoch(frame.epoch)) this.parts.onNewEpoch(roomId);
    this.follow(roomId, room, room.feed.offer(frame));
  }

  /** Fetches the frames that this node has missed of a room. */
  catchUp(roomId: number, position: Position): void {
    const room = this.rooms.get(roomId);
    const from = room?.feed.behind(position);
    if (room && from) this.repairSoon(roomId, room, from);
  }

  /** Frames of the history of a member's room in this epoch, oldest first. */
  replay({ roomId, anchorId }: RoomOf, epoch: string, frames: readonly KeptFrame[]): FrameForms[] {
    return frames.map(({ seq, frame }) => {
      const key = `${roomId} ${epoch} ${seq}`;
      let forms = this.replayed.get(key);
      // Of a removed chat message the history has another frame with the same number.
      if (!forms?.isOf(frame)) {
        forms = new FrameForms(frame, anchorId);
        this.replayed.set(key, forms, { size: frame.length + 1 });
      }
      return forms;
    });
  }

  /** Call it after a member left: removes a room without members on this node. True where it removed it. */
  closeIfEmpty(roomId: number): boolean {
    return this.parts.connections.inRoom(roomId).size === 0 && this.rooms.delete(roomId);
  }

  private follow(roomId: number, room: Room, { send, fetchAfter, lostUpTo }: Step): void {
    const { connections, log } = this.parts;
    if (lostUpTo) {
      log.warn(
        { roomId, ...lostUpTo },
        "missed room frames are lost: the members get a greeting with recovered false, and the room continues",
      );
      // What is cached may be older than a state that is lost.
      this.parts.onBattleState(roomId);
      for (const member of connections.inRoom(roomId)) if (member.sendLost(lostUpTo)) this.parts.sendBattle(member);
    }
    for (const frame of send) {
      const forms = new FrameForms(frame.frame, room.anchorId);
      const state = isBattleState(frame.frame);
      if (state) this.parts.onBattleState(roomId);
      for (const member of connections.inRoom(roomId)) member.sendOfRoom(frame, forms, state);
    }
    if (fetchAfter) this.repairSoon(roomId, room, fetchAfter);
  }

  private repairSoon(roomId: number, room: Room, from: Position): void {
    this.repair(roomId, room, from).catch((error: unknown) => {
      const about = { roomId, ...from, err: error };
      this.parts.log.warn(about, "missed room frames could not be sent: the room continues without them");
    });
  }

  private async repair(roomId: number, room: Room, from: Position): Promise<void> {
    const missed = await this.parts.fetchMissed(roomId, from).catch((error: Error) => {
      this.parts.log.warn({ roomId, ...from, err: error }, "missed room frames cannot be fetched");
      return undefined;
    });
    if (this.rooms.get(roomId) !== room) return;
    this.follow(roomId, room, room.feed.repaired(missed));
  }
}
