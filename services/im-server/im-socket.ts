import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { limits } from "../../config/limits.ts";
import { closeCodes } from "../im-frames.ts";
import type { Connection } from "./connection.ts";

const lowestReasonCode = 4000;
const textFrame = 0x81;

/** What a node does with what its sockets say. There is one for all of them. */
export interface SocketEvents {
  said(socket: ImSocket, data: Buffer, isBinary: boolean): void;
  pinged(socket: ImSocket, data: Buffer): void;
  ponged(socket: ImSocket): void;
  failed(socket: ImSocket, error: Error): void;
  closed(socket: ImSocket): void;
  /** Another handler threw `error` at the event of this name. Must not throw: nothing would catch it. */
  handlerThrew(socket: ImSocket, event: string, error: unknown): void;
}

/**
 * A text message as it goes over the line, for all who get it. A server's frames are not masked and ours not compressed,
 * so that the same bytes are right for everybody.
 */
export function wireText(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const wire = Buffer.allocUnsafeSlow(head + length);
  wire[0] = textFrame;
  if (head === 2) wire[1] = length;
  else if (head === 4) {
    wire[1] = 126;
    wire.writeUInt16BE(length, 2);
  } else {
    wire[1] = 127;
    wire.writeBigUInt64BE(BigInt(length), 2);
  }
  wire.write(text, head);
  return wire;
}

function dispatch(events: SocketEvents, socket: ImSocket, event: string | symbol, args: unknown[]): void {
  if (event === "message") events.said(socket, args[0] as Buffer, args[1] as boolean);
  else if (event === "ping") events.pinged(socket, args[0] as Buffer);
  else if (event === "pong") events.ponged(socket);
  else if (event === "error") events.failed(socket, args[0] as Error);
  else if (event === "close") events.closed(socket);
}

/**
 * A socket of this node. With tens of thousands of them it is memory that counts: it has no listeners but hands its
 * events on by a switch, since each listener and the table they stand in would cost more than the connection itself.
 *
 * Everything that clients send enters the node here. An error of a handler costs this one socket; uncaught, it would
 * pass through ws to the event loop and end the process.
 */
export class ImSocket extends WebSocket {
  /** Set as soon as the socket is open: see the listener. */
  events: SocketEvents | undefined = undefined;
  /** The line under the WebSocket. */
  line: Duplex | undefined = undefined;
  /** What the client says before it is let in or refused; it is heard then. */
  early: { data: Buffer; isBinary: boolean }[] | undefined = undefined;
  /** Who it is, from when it is let in. */
  connection: Connection | undefined = undefined;

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const { events } = this;
    if (!events) return super.emit(event, ...args);
    try {
      dispatch(events, this, event, args);
    } catch (error) {
      events.handlerThrew(this, String(event), error);
    }
    return true;
  }

  /** Writes what `wireText` made, as it is. Nothing of ws waits in a queue before the line, so the order is kept. */
  sendWire(wire: Buffer): void {
    this.line?.write(wire);
  }

  /** Protocol errors (too large, not UTF-8, malformed) close with the code that our clients know. */
  override close(code?: number, reason?: string | Buffer): void {
    if (code === undefined || code === 1000 || code >= lowestReasonCode || code === 1001) super.close(code, reason);
    else if (code === 1009)
      super.close(closeCodes.protocolFault, `a frame is larger than ${limits.im.frameBytes} bytes`);
    else super.close(closeCodes.protocolFault, "malformed WebSocket frame");
  }
}
