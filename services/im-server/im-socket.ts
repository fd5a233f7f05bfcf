import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { limits } from "../../config/limits.ts";
import { closeCodes } from "../im-frames.ts";
import type { Connection } from "./connection.ts";

const lowestReasonCode = 4000;

/** A node's handlers of socket events, by the events of ws. One set serves all sockets. */
export interface SocketHandlers {
  message(socket: ImSocket, data: Buffer, isBinary: boolean): void;
  ping(socket: ImSocket, data: Buffer): void;
  pong(socket: ImSocket): void;
  error(socket: ImSocket, error: Error): void;
  close(socket: ImSocket, code: number): void;
  /** Another handler threw `error` at the event of this name. Must not throw: nothing would catch it. */
  handlerThrew(socket: ImSocket, event: string, error: unknown): void;
}

type Listener = (this: ImSocket, ...args: never[]) => void;

/**
 * The listeners of all sockets of a node, one function for each event: a socket is its `this`. With tens of thousands
 * of sockets, a closure for each would use more memory than the connection itself.
 *
 * Everything that clients send enters the node here. An error of a handler closes its socket alone; uncaught, it would
 * reach the event loop and end the process.
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
  /** The stream under the WebSocket. */
  line: Duplex | undefined = undefined;
  /** Frames that arrive before the client is admitted or refused; they are handled then. */
  early: { data: Buffer; isBinary: boolean }[] | undefined = undefined;
  /** The client's connection, once it is admitted. */
  connection: Connection | undefined = undefined;

  /** Call it once, as soon as the socket is open. */
  listen(listeners: ReadonlyMap<string, Listener>): void {
    for (const [event, listener] of listeners) this.on(event, listener as (this: WebSocket) => void);
  }

  /** Writes the result of `wireText` as it is. ws has nothing queued before the stream, so the order is kept. */
  sendWire(wire: Buffer): void {
    this.line?.write(wire);
  }

  /**
   * ws closes after protocol errors (too large, not UTF-8, malformed) by itself. Here they get the close code that our
   * clients know.
   */
  override close(code?: number, reason?: string | Buffer): void {
    if (code === undefined || code === 1000 || code >= lowestReasonCode || code === 1001) super.close(code, reason);
    else if (code === 1009)
      super.close(closeCodes.protocolFault, `a frame is larger than ${limits.im.frameBytes} bytes`);
    else super.close(closeCodes.protocolFault, "malformed WebSocket frame");
  }
}
