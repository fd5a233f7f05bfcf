import { isUnkept } from "../im-frames.ts";

export interface RoomFrame {
  seq: number;
  epoch: string;
  frame: string;
}

export interface Position {
  epoch: string;
  seq: number;
}

/** What the room's history says: where the room is, and what came after the asked position, oldest first. */
export interface Missed extends Position {
  /** False where the history does not reach back that far; `frames` is empty then. */
  complete: boolean;
  frames: string[];
}

/**
 * The frames of one room on one node, put in the order of their numbers. Frames travel in calls from several routers
 * and may overtake each other or miss this node; what is ahead of its turn waits until what is missing was fetched.
 * Pure: the caller fetches when `offer` or `behind` says so, and hands the result to `repaired`.
 */
export class RoomFeed {
  private position: Position | undefined;
  private held: RoomFrame[] = [];
  private waiting = true;
  private readonly heldMax: number;

  constructor(heldMax: number) {
    this.heldMax = heldMax;
  }

  /** From where on frames are wanted: called once Redis has said where the room is. Returns what can be sent now. */
  start(position: Position): { send: RoomFrame[]; fetchAfter?: Position } {
    if (this.position) return { send: [] };
    this.position = position;
    return this.release();
  }

  /** Takes a frame; `send` goes out now, `fetchAfter` asks for what came after a position. */
  offer(frame: RoomFrame): { send: RoomFrame[]; fetchAfter?: Position } {
    // Numbered without a history, while Redis is away: there is no order to keep and nothing to fetch.
    if (isUnkept(frame.epoch)) return { send: [frame] };
    if (this.waiting) return this.hold(frame);
    const at = this.position as Position;
    if (frame.epoch === at.epoch && frame.seq <= at.seq) return { send: [] };
    if (frame.epoch === at.epoch && frame.seq === at.seq + 1) {
      this.position = { epoch: frame.epoch, seq: frame.seq };
      return { send: [frame] };
    }
    this.waiting = true;
    this.held.push(frame);
    return { send: [], fetchAfter: at };
  }

  /** Whether the room has gone on without this node: then what came after the returned position is to be fetched. */
  behind(room: Position): Position | undefined {
    if (this.waiting || !this.position) return undefined;
    if (room.epoch === this.position.epoch && room.seq <= this.position.seq) return undefined;
    this.waiting = true;
    return this.position;
  }

  /**
   * The answer to a `fetchAfter`; `undefined` where there is none to be had. Without the missing frames the feed goes
   * on with what it holds: late and with a hole is better than never.
   */
  repaired(missed: Missed | undefined): { send: RoomFrame[]; fetchAfter?: Position } {
    const first = missed?.complete ? missed.seq - missed.frames.length + 1 : 0;
    const fetched = missed?.complete
      ? missed.frames.map((frame, i) => ({ epoch: missed.epoch, seq: first + i, frame }))
      : [];
    if (missed?.complete) {
      this.position = { epoch: missed.epoch, seq: missed.seq };
      // Held frames of another epoch than the room's are of one that is over: they are sent and move nothing.
      const over = this.held.filter((frame) => frame.epoch !== missed.epoch);
      this.held = this.held.filter((frame) => frame.epoch === missed.epoch);
      const next = this.release();
      return { ...next, send: [...over, ...fetched, ...next.send] };
    }
    const send = this.held.sort((a, b) => (a.epoch === b.epoch ? a.seq - b.seq : 0));
    this.held = [];
    this.waiting = false;
    const last = send.at(-1);
    this.position = last ?? missed ?? this.position;
    return { send };
  }

  private hold(frame: RoomFrame): { send: RoomFrame[] } {
    this.held.push(frame);
    return this.held.length > this.heldMax ? this.repaired(undefined) : { send: [] };
  }

  private release(): { send: RoomFrame[]; fetchAfter?: Position } {
    const held = this.held.sort((a, b) => a.seq - b.seq);
    this.held = [];
    this.waiting = false;
    const send: RoomFrame[] = [];
    let fetchAfter: Position | undefined;
    for (const frame of held) {
      const next = this.offer(frame);
      send.push(...next.send);
      fetchAfter ??= next.fetchAfter;
    }
    return { send, fetchAfter };
  }
}
