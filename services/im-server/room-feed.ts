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

/** What is to be done next: frames to send, in this order, and perhaps a position after which to fetch. */
export interface Step {
  send: RoomFrame[];
  fetchAfter?: Position;
  /** Set where something before `send` is lost for good: the position from which the room goes on. */
  lostUpTo?: Position;
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
  start(position: Position): Step {
    if (this.position) return { send: [] };
    this.position = position;
    return this.release();
  }

  /** Whether Redis has begun a new epoch since this node last knew where the room is. */
  isNewEpoch(epoch: string): boolean {
    return this.position !== undefined && epoch !== this.position.epoch && !isUnkept(epoch);
  }

  /** Takes a frame; `send` goes out now, `fetchAfter` asks for what came after a position. */
  offer(frame: RoomFrame): Step {
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
   * on with what it holds: late and with a hole is better than never. Nothing happens where it went on already.
   */
  repaired(missed: Missed | undefined): Step {
    if (!this.waiting) return { send: [] };
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
    const lostUpTo = lostBefore(this.position, send, missed);
    this.held = [];
    this.waiting = false;
    const last = send.at(-1);
    this.position = last ?? missed ?? this.position;
    return lostUpTo ? { send, lostUpTo } : { send };
  }

  private hold(frame: RoomFrame): Step {
    this.held.push(frame);
    return this.held.length > this.heldMax ? this.repaired(undefined) : { send: [] };
  }

  private release(): Step {
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

/** Where `send`, in its order, does not follow `from` without a hole: the position before its first frame. */
function lostBefore(
  from: Position | undefined,
  send: readonly RoomFrame[],
  missed: Missed | undefined,
): Position | undefined {
  const first = send[0];
  const goesOnAt = first ? { epoch: first.epoch, seq: first.seq - 1 } : missed;
  if (missed) return goesOnAt && { epoch: goesOnAt.epoch, seq: goesOnAt.seq };
  let at = from;
  for (const { epoch, seq } of send) {
    // The first frame of an epoch follows whatever was the last one of the epoch before.
    const follows = seq === 1 || (epoch === at?.epoch && seq <= at.seq + 1);
    if (!follows) return goesOnAt;
    at = { epoch, seq };
  }
  return undefined;
}
