import { isUnkept } from "../im-frames.ts";

export interface RoomFrame {
  seq: number;
  epoch: string;
  frame: string;
}

/** A frame of a room's history. */
export type KeptFrame = Omit<RoomFrame, "epoch">;

export interface Position {
  epoch: string;
  seq: number;
}

/**
 * The answer of the room's history: the room's position, and the frames after the requested position, oldest first. Some
 * numbers have no frame, where a newer one replaced it.
 */
export interface Missed extends Position {
  /** False where the history does not reach back far enough; `frames` is empty then. */
  complete: boolean;
  frames: KeptFrame[];
}

/** The next actions of the caller. */
export interface Step {
  /** To be sent, in this order. */
  send: RoomFrame[];
  /** Frames after this position are to be fetched, for `repaired`. */
  fetchAfter?: Position;
  /** Set where frames before `send` are lost: the position from which the room continues. */
  lostUpTo?: Position;
}

type Mode = "starting" | "following" | "repairing";

/**
 * Sorts the frames of one room on one node by their numbers. Frames travel in calls from several routers, and may
 * overtake each other or miss this node. A frame that is not the next one is held until the missing ones are fetched.
 * Pure: the caller fetches where a step or `behind` requests it, and passes the result to `repaired`.
 *
 * Modes and moves:
 *   starting   the room's position is unknown; frames are held
 *     → following   `start`, with the position in Redis; `offer`, where more than `heldMax` frames would be held
 *   following  `position` is that of the last frame sent; the next frame is sent at once, older ones never
 *     → repairing   `offer` of a frame that is not the next one; `behind`, where the room is further on in Redis
 *   repairing  the frames after `position` are being fetched; new frames are held
 *     → following   `repaired`, with or without the fetched frames; `offer`, where more than `heldMax` would be held
 * Held frames are sent with the move to following. If they do not follow each other, repairing begins again. A frame of
 * an epoch without a history is sent at once in every mode, and does not change the position.
 */
export class RoomFeed {
  private mode: Mode = "starting";
  private position: Position | undefined;
  private held: RoomFrame[] = [];
  private readonly heldMax: number;

  constructor(heldMax: number) {
    this.heldMax = heldMax;
  }

  /** `position` is the room's in Redis: frames after it are wanted. Does nothing once the feed has started. */
  start(position: Position): Step {
    if (this.mode !== "starting") return { send: [] };
    this.position = position;
    return this.sendHeld();
  }

  /** Whether Redis has a newer epoch than this node. */
  isNewEpoch(epoch: string): boolean {
    return this.position !== undefined && epoch !== this.position.epoch && !isUnkept(epoch);
  }

  /** Handles a frame of a router. */
  offer(frame: RoomFrame): Step {
    // Numbered without a history, while Redis is away: there is no order and nothing to fetch.
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

  /** Where the room is further on than this node: the position after which frames are to be fetched. */
  behind(room: Position): Position | undefined {
    if (this.mode !== "following" || !this.position) return undefined;
    if (room.epoch === this.position.epoch && room.seq <= this.position.seq) return undefined;
    this.mode = "repairing";
    return this.position;
  }

  /**
   * Handles the answer to a `fetchAfter`; `undefined` where there is none. Without the missing frames the feed
   * continues with the held frames, and a gap. Does nothing where it is following already.
   */
  repaired(missed: Missed | undefined): Step {
    if (this.mode === "following") return { send: [] };
    const fetched = missed?.complete ? missed.frames.map((frame) => ({ epoch: missed.epoch, ...frame })) : [];
    if (missed?.complete) {
      this.position = { epoch: missed.epoch, seq: missed.seq };
      // Held frames of another epoch than the room's are of one that has ended: they are sent and do not change the
      // position.
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
    // The first frame of an epoch follows any last frame of the epoch before.
    const follows = seq === 1 || (epoch === at?.epoch && seq <= at.seq + 1);
    if (!follows) return goesOnAt;
    at = { epoch, seq };
  }
  return undefined;
}
