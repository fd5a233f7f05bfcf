import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { limits } from "../../config/limits.ts";
import { closeCodes } from "../im-frames.ts";
import type { Connection } from "./connection.ts";

const lowestReasonCode = 4000;

/** A node's handlers of what happens to its sockets, by the events of ws. One set serves all of them. */
export interface SocketHandlers {
  message(socket: ImSocket, data: Buffer, isBinary: boolean): void;
  ping(socket: ImSocket, data: Buffer): void;
  pong(socket: ImSocket): void;
  error(socket: ImSocket, error: Error): void;
  close(socket: ImSocket): void;
  /** Another handler threw `error` at the event of this name. Must not throw: nothing would catch it. */
  handlerThrew(socket: ImSocket, event: string, error: unknown): void;
}

type Listener = (this: ImSocket, ...args: never[]) => void;

/**
 * The listeners of all sockets of a node, one function an event: a socket finds itself in `this`. With tens of thousands
 * of sockets it is memory that counts, and a closure each would cost more than the connection itself.
 *
 * Everything that clients send enters the node here. An error of a handler costs its one socket; uncaught, it would pass
 * through ws to the event loop and end the process.
 */
export function guardedListeners(handlers: SocketHandlers): ReadonlyMap<string, Listener> {
  const guard = <Args extends unknown[]>(event: string, handle: (socket: ImSocket, ...args: Args) => void) =>
    function guarded(this: ImSocket, ...args: Args) {
      try {
        handle(this, ...args);
      } catch (error) {
        handlers.handlerThrew(this, event, error);
      }
    };
  return new Map<string, Listener>([
    ["message", guard("message", handlers.message)],
    ["ping", guard("ping", handlers.ping)],
    ["pong", guard("pong", handlers.pong)],
    ["error", guard("error", handlers.error)],
    ["close", guard("close", handlers.close)],
  ]);
}

/** A WebSocket of this node. */
export class ImSocket extends WebSocket {
  /** The line under the WebSocket. */
  line: Duplex | undefined = undefined;
  /** What the client sends before it is let in or refused; it is handled then. */
  early: { data: Buffer; isBinary: boolean }[] | undefined = undefined;
  /** Who it is, from when it is let in. */
  connection: Connection | undefined = undefined;

  /** To be called once, as soon as the socket is open. */
  listen(listeners: ReadonlyMap<string, Listener>): void {
    for (const [event, listener] of listeners) this.on(event, listener as (this: WebSocket) => void);
  }

  /** Writes what `wireText` made, as it is. Nothing of ws waits in a queue before the line, so the order is kept. */
  sendWire(wire: Buffer): void {
    this.line?.write(wire);
  }

  /** Protocol errors (too large, not UTF-8, malformed), which ws closes by itself, get the code that our clients know. */
  override close(code?: number, reason?: string | Buffer): void {
    if (code === undefined || code === 1000 || code >= lowestReasonCode || code === 1001) super.close(code, reason);
    else if (code === 1009)
      super.close(closeCodes.protocolFault, `a frame is larger than ${limits.im.frameBytes} bytes`);
    else super.close(closeCodes.protocolFault, "malformed WebSocket frame");
  }
}
