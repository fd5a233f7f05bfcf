import type { WebSocket } from "ws";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import type { UserRate } from "../../mixins/user-rate.ts";
import { closeCodes, frameCodes } from "../im-frames.ts";
import { nowMs } from "./clock.ts";
import type { FrameForm, FrameForms } from "./frame-forms.ts";
import { notificationFrameV2 } from "./frames-v2.ts";
import type { Presence } from "./presence-store.ts";
import type { Position } from "./room-feed.ts";
import { closeForFault } from "./socket-fault.ts";
import { wireText } from "./wire-frame.ts";

/** What all connections of a node share. */
export interface ConnectionHost {
  readonly nodeId: string;
  readonly limits: { readonly sendQueueBytes: number };
  /** Counts what is written to sockets. */
  readonly sent: { frames: number; bytes: number };
  /** The rate of a user's messages over all connections, so that a new connection does not reset it. */
  readonly messageRate: Pick<UserRate, "take">;
}

/** What a connection needs of its WebSocket. */
type Socket = Pick<WebSocket, "readyState" | "OPEN" | "bufferedAmount" | "ping" | "pong" | "close" | "terminate"> & {
  /** Writes the result of `wireText`. */
  sendWire(wire: Buffer): void;
};

/** When a connection is pinged, and how long the answer may take. */
export interface ProbeLimits {
  readonly pingAfterMs: number;
  readonly pongTimeoutMs: number;
}

/** The user of a connection, the room, and how it gets frames. */
export interface Admitted extends Omit<Presence, "since"> {
  /** The anchor of the room. */
  anchorId: string;
  form: FrameForm;
}

/** A frame of the room that waits for the greeting. */
interface EarlyFrame {
  at: Position;
  forms: FrameForms;
}

/** Whether `reached` is at or after a position, in the same epoch. */
function isUpTo({ epoch, seq }: Position, reached: Position): boolean {
  return epoch === reached.epoch && seq <= reached.seq;
}

/**
 * One socket of a known user in a room. What it sends is bounded: a client that does not read is closed.
 *
 * Modes and moves:
 *   joining   the user's presence is being written; frames of the room wait in `early`
 *     → greeted   `greet`: greeting, replay and the waiting frames go out
 *     → closing   `close`, also where more frames wait than `limits.im.heldRoomFrames`
 *   greeted   frames of the room go out as they come
 *     → closing   `close`: by the client, a newer connection, the room's end, a fault, a rate, a time limit, the drain
 *   closing   nothing is sent; the socket is cut where the client does not close within `closeGraceMs`. The end.
 */
export class Connection implements Presence {
  readonly connectionId: string;
  readonly userId: string;
  readonly roomId: number;
  readonly generation: number;
  readonly since = new Date().toISOString();
  /** When the client last sent a message, by `nowMs`. */
  receivedAt = nowMs();
  /** When the stream was last read for its user's notifications, by `nowMs`. */
  notificationsReadAt = this.receivedAt;
  private pingedAt = 0;
  private pongAt = 0;
  private readonly socket: Socket;
  private readonly host: ConnectionHost;
  readonly form: FrameForm;
  readonly anchorId: string;
  /** The room's frames that arrived before the greeting; `undefined` once greeted. */
  private early: EarlyFrame[] | undefined = [];
  private greetedAt: Position | undefined;

  constructor(socket: Socket, host: ConnectionHost, who: Admitted) {
    this.socket = socket;
    this.host = host;
    this.form = who.form;
    this.anchorId = who.anchorId;
    this.connectionId = who.connectionId;
    this.userId = who.userId;
    this.roomId = who.roomId;
    this.generation = who.generation;
  }

  /** False once it is closing. */
  get open(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** Counts a message of the client; false where its user sends too fast. */
  countMessage(): boolean {
    this.receivedAt = nowMs();
    return this.host.messageRate.take(this.userId, this.receivedAt);
  }

  send(frame: string): void {
    this.sendWire(wireText(frame));
  }

  /** Sends a notification, which is a business frame of version 1, in the version of this client. */
  sendNotification(frame: string): void {
    this.send(this.form === "1" ? frame : notificationFrameV2(frame));
  }

  /** The same for the result of `wireText`, which may be shared by many connections. */
  sendWire(wire: Buffer): void {
    if (!this.open) return;
    this.socket.sendWire(wire);
    const { sent } = this.host;
    sent.frames++;
    sent.bytes += wire.length;
    this.closeIfTooSlow();
  }

  /** Answers a ping. */
  pong(data: Buffer): void {
    if (!this.open) return;
    this.socket.pong(data);
    this.closeIfTooSlow();
  }

  private closeIfTooSlow(): void {
    if (this.socket.bufferedAmount > this.host.limits.sendQueueBytes)
      this.close(closeCodes.tooSlow, "too slow: frames pile up");
  }

  /**
   * A frame of the room, numbered `at`. `forms` is shared by all members. It waits while the user is joining. @param
   * again whether it is sent even if its number is not above that of the greeting: the state of a battle, since the
   * client may have got an older one after its greeting
   */
  sendOfRoom(at: Position, forms: FrameForms, again = false): void {
    if (this.early) {
      this.early.push({ at, forms });
      if (this.early.length > limits.im.heldRoomFrames) this.close(closeCodes.tooSlow, "the room is too fast");
      return;
    }
    if (again || !this.greetedAt || !isUpTo(at, this.greetedAt)) this.sendWire(forms.wire(this.form));
  }

  /**
   * Sends the greeting, the frames that the client missed, and the room's frames that arrived meanwhile. @param at the
   * room's position in the greeting: frames up to it are in `missed`, or older than this client @param recovered
   * whether `missed` is everything that the client missed; `undefined` for a client that does not reconnect
   */
  greet(at: Position, missed: readonly FrameForms[], recovered: boolean | undefined): void {
    const early = (this.early ?? []).filter((frame) => !isUpTo(frame.at, at)).map(({ forms }) => forms);
    this.early = undefined;
    this.greetedAt = at;
    const frames = [...missed, ...early].map((forms) => forms.wire(this.form));
    // In one write: so each of many reconnecting clients costs one write, however much it has missed.
    this.sendWire(Buffer.concat([wireText(this.greeting(at, recovered)), ...frames]));
  }

  /**
   * Greets again: frames of the room up to `at` are lost, and the greeting tells the client so. False where this client
   * has lost none.
   */
  sendLost(at: Position): boolean {
    const { greetedAt } = this;
    if (!greetedAt || isUpTo(at, greetedAt)) return false;
    this.send(this.greeting(at, false));
    return true;
  }

  private greeting({ epoch, seq }: Position, recovered: boolean | undefined): string {
    const version2 = this.form === "1" ? {} : { v: 2, anchorId: this.anchorId };
    const body = { userId: this.userId, nodeId: this.host.nodeId, epoch, seq, recovered, ...version2 };
    return JSON.stringify({ code: frameCodes.login, body });
  }

  /**
   * Pings a client that has sent nothing for `pingAfterMs`. False where the last ping was not answered in time: then
   * the connection is dead. A pong comes from the WebSocket, not from the client: it is no heartbeat.
   */
  probe(now: number, { pingAfterMs, pongTimeoutMs }: ProbeLimits): boolean {
    const aliveAt = Math.max(this.receivedAt, this.pongAt);
    if (this.pingedAt > aliveAt) return now - this.pingedAt < pongTimeoutMs;
    if (this.open && now - aliveAt >= pingAfterMs) {
      this.pingedAt = now;
      this.socket.ping();
    }
    return true;
  }

  /** The answer to the ping of a `probe`. */
  receivePong(): void {
    this.pongAt = nowMs();
  }

  /** Starts the closing handshake. */
  close(code: number, reason: string): void {
    if (this.open) this.socket.close(code, reason);
  }

  /** Closes this connection after an error in handling what the client sent. */
  closeForFault(log: Log, event: string, error: unknown): void {
    closeForFault(log, this.socket, this, event, error);
  }
}
