import { fail } from "../../broker/failure.ts";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { frameBytes, type UnnumberedFrame } from "../im-frames.ts";

/** Viewers' chat waits behind everything else of its room: gifts and messages of the system. */
export type Lane = "first" | "chat";

/**
 * The frames of one tick in one lane of one room. Their callers wait for these alone, not for other rooms of the tick.
 */
export class Share {
  readonly lane: Lane;
  /** Gifts and messages in it. */
  size = 0;
  /** Settles once all frames were passed to the nodes, or one of them could not be. */
  readonly handedOver: Promise<void>;
  private framesLeft = 0;
  private traces: readonly string[] = [];
  private readonly resolve: () => void;
  readonly failed: (error: unknown) => void;

  constructor(lane: Lane) {
    this.lane = lane;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.handedOver = promise;
    this.resolve = resolve;
    this.failed = reject;
  }

  /** The frames of the share carry these traces. Of more than `limits.traces.carried` the last ones are left out. */
  carry(traces: readonly string[]): void {
    this.traces = [...this.traces, ...traces].slice(0, limits.traces.carried);
  }

  /** A frame of this share. Its size is measured once, here. */
  frame(frame: UnnumberedFrame, bytes = frameBytes(frame)): WaitingFrame {
    this.framesLeft++;
    const { traces } = this;
    return { ...frame, bytes, share: this, ...(traces.length > 0 && { traces }) };
  }

  passed(): void {
    if (--this.framesLeft === 0) this.resolve();
  }
}

export interface WaitingFrame extends UnnumberedFrame {
  readonly bytes: number;
  readonly share: Share;
}

/** A first-in-first-out queue. The cost of an operation does not depend on its length. */
class Fifo<T> {
  private items: T[] = [];
  private at = 0;

  push(item: T): void {
    this.items.push(item);
  }

  peek(): T | undefined {
    return this.items[this.at];
  }

  drop(): void {
    this.at++;
    if (this.at * 2 < this.items.length) return;
    this.items = this.items.slice(this.at);
    this.at = 0;
  }
}

type Place<Frame> = { frame: Frame; arrival: number };

/**
 * The frames that wait for their tick, by room. A room may send a bounded number of bytes in a tick. So a burst of one
 * room is spread over ticks, and does not delay other rooms. The cost of a tick depends only on the frames that it
 * sends.
 */
export class RoomBacklog<Frame extends Pick<WaitingFrame, "roomId" | "bytes"> & { share: { lane: Lane } }> {
  private readonly rooms = new Map<number, Record<Lane, Fifo<Place<Frame>>>>();
  private arrivals = 0;

  get empty(): boolean {
    return this.rooms.size === 0;
  }

  add(frames: readonly Frame[]): void {
    for (const frame of frames) {
      let room = this.rooms.get(frame.roomId);
      if (!room) {
        room = { first: new Fifo(), chat: new Fifo() };
        this.rooms.set(frame.roomId, room);
      }
      room[frame.share.lane].push({ frame, arrival: this.arrivals++ });
    }
  }

  /**
   * Takes the frames of this tick: for each room up to so many bytes, and at least one frame; the first lane goes
   * first.
   */
  take(bytesPerRoom: number): Frame[] {
    return [...this.rooms].flatMap(([roomId, { first, chat }]) => {
      const taken: Place<Frame>[] = [];
      let left = bytesPerRoom;
      for (const lane of [first, chat])
        for (let next = lane.peek(); next; next = lane.peek()) {
          left -= next.frame.bytes;
          if (left < 0 && taken.length > 0) break;
          taken.push(next);
          lane.drop();
        }
      if (!first.peek() && !chat.peek()) this.rooms.delete(roomId);
      // Within a tick a room gets its frames in the order of their arrival: this merges two sorted runs.
      return taken.sort((a, b) => a.arrival - b.arrival).map(({ frame }) => frame);
    });
  }
}

/** The bytes of viewers' chat that are not passed to the nodes yet: bounded for each room and in all. */
export class ChatInFlight {
  private readonly rooms = new Map<number, number>();
  private bytes = 0;
  private readonly log: Log;
  private refused = 0;
  private loggedAt = Number.NEGATIVE_INFINITY;

  constructor(log: Log) {
    this.log = log;
  }

  /** Fails: tooMany, where too much chat waits. */
  enter(roomId: number, bytes: number): void {
    const waiting = this.rooms.get(roomId) ?? 0;
    const { roomChatBytes, routerChatBytes } = limits.im;
    if (waiting + bytes > roomChatBytes || this.bytes + bytes > routerChatBytes) {
      this.logRefusal(roomId, waiting);
      throw fail("tooMany", { what: "room chat", roomId, waiting });
    }
    this.rooms.set(roomId, waiting + bytes);
    this.bytes += bytes;
  }

  left(roomId: number, bytes: number): void {
    this.bytes -= bytes;
    const waiting = (this.rooms.get(roomId) ?? 0) - bytes;
    if (waiting > 0) this.rooms.set(roomId, waiting);
    else this.rooms.delete(roomId);
  }

  private logRefusal(roomId: number, waiting: number): void {
    this.refused++;
    const now = performance.now();
    if (now - this.loggedAt < limits.im.chatRefusalsLoggedMs) return;
    const about = { roomId, waiting, ofAllRooms: this.bytes, refused: this.refused };
    this.log.warn(
      about,
      "too much chat waits: chat is refused and its senders get an error; the last refusal was in this room",
    );
    this.loggedAt = now;
    this.refused = 0;
  }
}
