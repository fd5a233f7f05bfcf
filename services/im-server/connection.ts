import { limits } from "../../config/limits.ts";
import { closeCodes, frameCodes } from "../im-frames.ts";
import { nowMs } from "./clock.ts";
import { type ImSocket, wireText } from "./im-socket.ts";
import type { Presence } from "./presence-store.ts";
import type { Position, RoomFrame } from "./room-feed.ts";
import { closeForFault } from "./socket-fault.ts";
import type { UserRate } from "./user-rate.ts";

/** What all connections of a node have in common. */
export interface Home {
  readonly nodeId: string;
  readonly settings: { readonly sendQueueBytes: number };
  /** Of what clients say: a user's, so that coming back with a new connection gives nothing for free. */
  readonly messageRate: Pick<UserRate, "take">;
}

/** Whether a frame or place of the room is none that comes after `at`. */
function isBefore({ epoch, seq }: Position, at: Position): boolean {
  return epoch === at.epoch && seq <= at.seq;
}

/** One socket of a known user in a room. What it sends is bounded: a client that does not read is let go. */
export class Connection implements Presence {
  readonly connectionId: string;
  readonly userId: string;
  readonly roomId: number;
  readonly turn: number;
  readonly since = new Date().toISOString();
  /** When the client was last heard, by `nowMs`. */
  heardAt = nowMs();
  /** When the stream was last looked through for its user's notices, by `nowMs`. */
  noticesAt = this.heardAt;
  private pingedAt = 0;
  private answeredAt = 0;
  private readonly socket: ImSocket;
  private readonly home: Home;
  /** The room's frames that came before the greeting; `undefined` once it is out. */
  private early: RoomFrame[] | undefined = [];
  private greetedAt: Position | undefined;

  constructor(socket: ImSocket, home: Home, who: Omit<Presence, "since">) {
    this.socket = socket;
    this.home = home;
    this.connectionId = who.connectionId;
    this.userId = who.userId;
    this.roomId = who.roomId;
    this.turn = who.turn;
  }

  get id(): string {
    return this.connectionId;
  }

  get open(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** Counts a message of the client; false where its user sends more than a user may. */
  heard(): boolean {
    this.heardAt = nowMs();
    return this.home.messageRate.take(this.userId, this.heardAt);
  }

  /** True where the frame is on its way; false where the connection is closing or was too slow for it. */
  send(frame: string): boolean {
    return this.sendWire(wireText(frame));
  }

  /** The same for what `wireText` made, perhaps for many. */
  sendWire(wire: Buffer): boolean {
    if (!this.open) return false;
    this.socket.sendWire(wire);
    return this.keepsUp();
  }

  /** Answers a ping. */
  pong(data: Buffer): void {
    if (!this.open) return;
    this.socket.pong(data);
    this.keepsUp();
  }

  private keepsUp(): boolean {
    if (this.socket.bufferedAmount <= this.home.settings.sendQueueBytes) return true;
    this.close(closeCodes.tooSlow, "too slow: frames pile up");
    return false;
  }

  /** A frame of the room, `wire` being it once for all members. It waits where the greeting is not out yet. */
  sendOfRoom(frame: RoomFrame, wire: Buffer): boolean {
    if (this.early) {
      this.early.push(frame);
      if (this.early.length > limits.im.heldRoomFrames) this.close(closeCodes.tooSlow, "the room is too fast");
      return this.open;
    }
    const { greetedAt } = this;
    return greetedAt && isBefore(frame, greetedAt) ? false : this.sendWire(wire);
  }

  /**
   * Sends the greeting, what the client missed, and what the room said meanwhile; later frames follow by themselves.
   * `at` is the room's position that the greeting names: frames up to there are in `missed` or before this client's time.
   * `recovered` is said to clients that come back: whether `missed` is all of it.
   */
  greet(at: Position, missed: readonly string[], recovered: boolean | undefined): void {
    const early = (this.early ?? []).filter((frame) => !isBefore(frame, at)).map(({ frame }) => frame);
    this.early = undefined;
    this.greetedAt = at;
    // In one piece: a crowd that comes back costs one write each, however much it has missed.
    this.sendWire(Buffer.concat([this.greeting(at, recovered), ...missed, ...early].map(wireText)));
  }

  /** Greets again: frames of the room up to `at` are lost, and the client is to know that it has not seen all. */
  tellLost(at: Position): void {
    const { greetedAt } = this;
    if (greetedAt && !isBefore(at, greetedAt)) this.send(this.greeting(at, false));
  }

  private greeting({ epoch, seq }: Position, recovered: boolean | undefined): string {
    const body = { userId: this.userId, nodeId: this.home.nodeId, epoch, seq, recovered };
    return JSON.stringify({ code: frameCodes.login, body });
  }

  /**
   * Asks whether somebody is there where nothing was heard for `pingAfterMs`. False where the last question was not
   * answered within `pongMs`: then the line is dead. An answer is the WebSocket's, not the client's: it may be silent still.
   */
  probe(now: number, { pingAfterMs, pongMs }: { pingAfterMs: number; pongMs: number }): boolean {
    const seenAt = Math.max(this.heardAt, this.answeredAt);
    if (this.pingedAt > seenAt) return now - this.pingedAt < pongMs;
    if (this.open && now - seenAt >= pingAfterMs) {
      this.pingedAt = now;
      this.socket.ping();
    }
    return true;
  }

  /** The answer to a `probe`. */
  answered(): void {
    this.answeredAt = nowMs();
  }

  /** Starts the closing handshake; the socket is cut where the client does not finish it in `limits.im.closeGraceMs`. */
  close(code: number, reason: string): void {
    if (this.open) this.socket.close(code, reason);
  }

  /** Closes this connection after an error in handling what the client sent. */
  closeForFault(log: Parameters<typeof closeForFault>[0], event: string, error: unknown): void {
    closeForFault(log, this.socket, this, event, error);
  }

  cut(): void {
    this.socket.terminate();
  }
}
