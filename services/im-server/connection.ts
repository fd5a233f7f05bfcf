import type { WebSocket } from "ws";
import { limits } from "../../config/limits.ts";
import { closeCodes, frameCodes } from "../im-frames.ts";
import type { Presence } from "./presence-store.ts";
import type { Position, RoomFrame } from "./room-feed.ts";
import { TokenBucket } from "./token-bucket.ts";

/** One socket of a known user in a room. What it sends is bounded: a client that does not read is let go. */
export class Connection implements Presence {
  readonly connectionId: string;
  readonly userId: string;
  readonly roomId: number;
  private readonly nodeId: string;
  readonly since = new Date().toISOString();
  /** When the client was last heard, ms. */
  heardAt = Date.now();
  /** When the stream was last looked through for its user's notices, ms. */
  noticesAt = Date.now();
  private readonly pings = { sentAt: 0, answeredAt: 0 };
  private readonly socket: WebSocket;
  private readonly sendQueueBytes: number;
  private readonly bucket = new TokenBucket(limits.im.messagesPerSecond, limits.im.messagesBurst, Date.now());
  /** The room's frames that came before the greeting; `undefined` once it is out. */
  private early: RoomFrame[] | undefined = [];
  private greetedAt: Position | undefined;

  constructor(
    socket: WebSocket,
    who: { connectionId: string; userId: string; roomId: number; nodeId: string; sendQueueBytes: number },
  ) {
    this.socket = socket;
    this.connectionId = who.connectionId;
    this.userId = who.userId;
    this.roomId = who.roomId;
    this.nodeId = who.nodeId;
    this.sendQueueBytes = who.sendQueueBytes;
  }

  get id(): string {
    return this.connectionId;
  }

  get open(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** Counts a message of the client; false where it sends more than it may. */
  heard(): boolean {
    this.heardAt = Date.now();
    return this.bucket.take(this.heardAt);
  }

  /** True where the frame is on its way; false where the connection is closing or was too slow for it. */
  send(frame: string | Buffer): boolean {
    if (!this.open) return false;
    this.socket.send(frame, { binary: false });
    if (this.socket.bufferedAmount <= this.sendQueueBytes) return true;
    this.close(closeCodes.tooSlow, "too slow: frames pile up");
    return false;
  }

  /** A frame of the room, `bytes` being its text once for all members. It waits where the greeting is not out yet. */
  sendOfRoom(frame: RoomFrame, bytes: Buffer): boolean {
    if (this.early) {
      this.early.push(frame);
      if (this.early.length > limits.im.heldRoomFrames) this.close(closeCodes.tooSlow, "the room is too fast");
      return this.open;
    }
    const { greetedAt } = this;
    const before = greetedAt && frame.epoch === greetedAt.epoch && frame.seq <= greetedAt.seq;
    return before ? false : this.send(bytes);
  }

  /**
   * Sends the greeting, what the client missed, and what the room said meanwhile; later frames follow by themselves.
   * `at` is the room's position that the greeting names: frames up to there are in `missed` or before this client's time.
   * `recovered` is said to clients that come back: whether `missed` is all of it.
   */
  greet(at: Position, missed: readonly string[], recovered: boolean | undefined): void {
    const early = this.early ?? [];
    this.early = undefined;
    this.greetedAt = at;
    this.send(this.greeting(at, recovered));
    for (const frame of missed) this.send(frame);
    for (const frame of early) this.sendOfRoom(frame, Buffer.from(frame.frame));
  }

  /** Greets again: frames of the room up to `at` are lost, and the client is to know that it has not seen all. */
  tellLost(at: Position): void {
    const { greetedAt } = this;
    const before = greetedAt && at.epoch === greetedAt.epoch && at.seq <= greetedAt.seq;
    if (greetedAt && !before) this.send(this.greeting(at, false));
  }

  private greeting({ epoch, seq }: Position, recovered: boolean | undefined): string {
    const body = { userId: this.userId, nodeId: this.nodeId, epoch, seq, recovered };
    return JSON.stringify({ code: frameCodes.login, body });
  }

  /**
   * Asks whether somebody is there where nothing was heard for `pingAfterMs`. False where the last question was not
   * answered within `pongMs`: then the line is dead. An answer is the WebSocket's, not the client's: it may be silent still.
   */
  probe(nowMs: number, { pingAfterMs, pongMs }: { pingAfterMs: number; pongMs: number }): boolean {
    const { pings } = this;
    const seenAt = Math.max(this.heardAt, pings.answeredAt);
    if (pings.sentAt > seenAt) return nowMs - pings.sentAt < pongMs;
    if (this.open && nowMs - seenAt >= pingAfterMs) {
      pings.sentAt = nowMs;
      this.socket.ping();
    }
    return true;
  }

  /** The answer to a `probe`. */
  answered(): void {
    this.pings.answeredAt = Date.now();
  }

  /** Starts the closing handshake; the socket is cut where the client does not finish it in `limits.im.closeGraceMs`. */
  close(code: number, reason: string): void {
    if (this.open) this.socket.close(code, reason);
  }

  cut(): void {
    this.socket.terminate();
  }
}
