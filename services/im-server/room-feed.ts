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

/** The answer of the room's history: where the room is, and what came after the asked position, oldest first. */
export interface Missed extends Position {
  /** False where the history does not reach back that far; `frames` is empty then. */
  complete: boolean;
  frames: string[];
}

/** What the caller is to do next. */
export interface Step {
  /** In this order. */
  send: RoomFrame[];
  /** What came after this position is to be fetched, for `repaired`. */
  fetchAfter?: Position;
  /** Set where frames before `send` are lost: the position from which the room goes on. */
  lostUpTo?: Position;
}

type Mode = "starting" | "following" | "repairing";

/**
 * The frames of one room on one node, put in the order of their numbers. Frames travel in calls from several routers
 * and may overtake each other or miss this node; a frame that is not the next one is held until the missing ones were
 * fetched. Pure: the caller fetches where a step or `behind` asks for it, and hands the result to `repaired`.
 *
 * Modes and moves:
 *   starting   the room's position is not known; frames are held
 *     → following   `start`, with the position in Redis; `offer`, where more than `heldMax` frames would be held
 *   following  `position` is that of the last frame sent; the frame after it is sent at once, older ones never
 *     → repairing   `offer` of a frame that is not the next one; `behind`, where the room is further on in Redis
 *   repairing  what came after `position` is being fetched; frames are held
 *     → following   `repaired`, with what was fetched or without; `offer`, where more than `heldMax` would be held
 * Held frames go out with the move to following; where they do not follow each other either, repairing begins again.
 * A frame of an unkept epoch is sent at once in every mode and moves nothing.
 */
export class RoomFeed {
  private mode: Mode = "starting";
  private position: Position | undefined;
  private held: RoomFrame[] = [];
  private readonly heldMax: number;

  constructor(heldMax: number) {
    this.heldMax = heldMax;
  }

  /** `position` is the room's in Redis: frames after it are wanted. Nothing happens where the feed has started. */
  start(position: Position): Step {
    if (this.mode !== "starting") return { send: [] };
    this.position = position;
    return this.sendHeld();
  }

  /** Whether Redis has begun a new epoch since this node last knew where the room is. */
  isNewEpoch(epoch: string): boolean {
    return this.position !== undefined && epoch !== this.position.epoch && !isUnkept(epoch);
  }

  /** Takes a frame that a router sent. */
  offer(frame: RoomFrame): Step {
    // Numbered without a history, while Redis is away: there is no order to keep and nothing to fetch.
    if (isUnkept(frame.epoch)) return { send: [frame] };
    if (this.mode !== "following") return this.hold(frame);
    const at = this.position as Position;
    if (frame.epoch === at.epoch && frame.seq <= at.seq) return { send: [] };
    if (frame.epoch === at.epoch && frame.seq === at.seq + 1) {
      this.position = { epoch: frame.epoch, seq: frame.seq };
      return { send: [frame] };
    }
    this.mode = "repairing";
    this.held.push(frame);
    return { send: [], fetchAfter: at };
  }

  /** Whether the room has gone on without this node: then what came after the returned position is to be fetched. */
  behind(room: Position): Position | undefined {
    if (this.mode !== "following" || !this.position) return undefined;
    if (room.epoch === this.position.epoch && room.seq <= this.position.seq) return undefined;
    this.mode = "repairing";
    return this.position;
  }

  /**
   * The answer to a `fetchAfter`; `undefined` where there is none. Without the missing frames the feed goes on with what
   * it holds, and a gap. Nothing happens where it is following already.
   */
  repaired(missed: Missed | undefined): Step {
    if (this.mode === "following") return { send: [] };
    const first = missed?.complete ? missed.seq - missed.frames.length + 1 : 0;
    const fetched = missed?.complete
      ? missed.frames.map((frame, i) => ({ epoch: missed.epoch, seq: first + i, frame }))
      : [];
    if (missed?.complete) {
      this.position = { epoch: missed.epoch, seq: missed.seq };
      // Held frames of another epoch than the room's are of one that has ended: they are sent and move nothing.
      const over = this.held.filter((frame) => frame.epoch !== missed.epoch);
      this.held = this.held.filter((frame) => frame.epoch === missed.epoch);
      const next = this.sendHeld();
      return { ...next, send: [...over, ...fetched, ...next.send] };
    }
    const send = this.held.sort((a, b) => (a.epoch === b.epoch ? a.seq - b.seq : 0));
    const lostUpTo = lostBefore(this.position, send, missed);
    this.held = [];
    this.mode = "following";
    const last = send.at(-1);
    this.position = last ?? missed ?? this.position;
    return lostUpTo ? { send, lostUpTo } : { send };
  }

  private hold(frame: RoomFrame): Step {
    this.held.push(frame);
    return this.held.length > this.heldMax ? this.repaired(undefined) : { send: [] };
  }

  private sendHeld(): Step {
    const held = this.held.sort((a, b) => a.seq - b.seq);
    this.held = [];
    this.mode = "following";
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

/** Where `send`, in its order, does not follow `from` without a gap: the position before its first frame. */
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
