import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { limits } from "../../config/limits.ts";
import { closeCodes } from "../im-frames.ts";
import { ImSocket, type SocketEvents } from "./im-socket.ts";

export interface Listener {
  readonly port: number;
  /** How many sockets are not closed yet, known to us or not. */
  sockets(): number;
  /** Nobody comes in any more; what is connected stays. */
  refuse(): void;
  /** Closes what is still open and resolves once the last socket is gone, which takes `closeGraceMs` at the most. */
  close(code: number, reason: string): Promise<void>;
}

export interface ListenerOptions {
  host: string;
  port: number;
  closeGraceMs: number;
  headersTimeoutMs: number;
  connectionsMax: number;
  /** The pages that may connect; `undefined` lets any. */
  allowedOrigins: readonly string[] | undefined;
}

/** `opened` is told of each socket that came in, before anything else is said of it. */
export interface ListenerEvents extends SocketEvents {
  opened(socket: ImSocket, query: URLSearchParams): void;
  /** The system could not take a connection; the listener goes on. */
  refused(error: Error): void;
}

async function listenOn(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // Clients of a node that died come all at once, and one that finds the queue full tries again after seconds.
    server.listen({ port, host, backlog: limits.im.listenBacklog }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Takes the port or the next free one; 0 takes any. Rejects where there is none among `limits.im.portsTried`. */
async function listenFrom(server: Server, host: string, first: number): Promise<void> {
  const last = first === 0 ? 0 : Math.min(65_535, first + limits.im.portsTried);
  for (let port = first; ; port++) {
    try {
      return await listenOn(server, host, port);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "EADDRINUSE" || port >= last) throw error;
    }
  }
}

function notFound(socket: Duplex): void {
  socket.once("error", () => socket.destroy());
  socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}

function upgradeUrl(request: IncomingMessage): URL | undefined {
  const url = URL.parse(request.url ?? "/", "ws://im");
  return url && /^\/im\/?$/.test(url.pathname) ? url : undefined;
}

/** The sockets that are not closed yet. */
class OpenSockets {
  readonly all = new Set<ImSocket>();
  private onEmpty: () => void = () => {};

  remove(socket: ImSocket): void {
    this.all.delete(socket);
    if (this.all.size === 0) this.onEmpty();
  }

  /** Resolves once the last one is closed; nobody may come in any more. */
  async empty(): Promise<void> {
    if (this.all.size > 0) await new Promise<void>((resolve) => (this.onEmpty = resolve));
  }
}

/**
 * The node's own HTTP server, which speaks WebSocket on /im and nothing else. Every upgrade there is accepted: a browser
 * sees no HTTP status, so a refusal is a close code.
 */
export async function openListener(options: ListenerOptions, events: ListenerEvents): Promise<Listener> {
  const upgrades = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: limits.im.frameBytes,
    // Pings are answered by the node, and it knows its sockets: ws would keep closures for both with each socket.
    autoPong: false,
    clientTracking: false,
    WebSocket: ImSocket as unknown as typeof WebSocket,
    ...{ closeTimeout: options.closeGraceMs },
  });
  const open = new OpenSockets();
  const ours: SocketEvents = {
    said: events.said,
    pinged: events.pinged,
    ponged: events.ponged,
    failed: events.failed,
    closed(socket) {
      open.remove(socket);
      events.closed(socket);
    },
    handlerThrew: events.handlerThrew,
  };
  const opened = (socket: ImSocket, query: URLSearchParams) => {
    try {
      events.opened(socket, query);
    } catch (error) {
      events.handlerThrew(socket, "open", error);
    }
  };
  const { headersTimeoutMs, allowedOrigins } = options;
  const connectionsCheckingInterval = Math.min(1_000, headersTimeoutMs);
  const server = createServer({ connectionsCheckingInterval }, (_request, response) => {
    response.writeHead(426, { Connection: "close", Upgrade: "websocket" }).end();
  });
  server.headersTimeout = headersTimeoutMs;
  server.maxConnections = options.connectionsMax;
  server.on("upgrade", (request, line, head) => {
    const url = upgradeUrl(request);
    if (!url) return notFound(line);
    // Only browsers say where a page is from; others could say what they like.
    const { origin } = request.headers;
    const foreign = origin !== undefined && allowedOrigins && !allowedOrigins.includes(origin);
    upgrades.handleUpgrade(request, line, head, (accepted) => {
      const socket = accepted as unknown as ImSocket;
      socket.events = ours;
      socket.line = line;
      open.all.add(socket);
      if (foreign) socket.close(closeCodes.foreignOrigin, "pages of this origin may not connect");
      else opened(socket, url.searchParams);
    });
  });
  await listenFrom(server, options.host, options.port);
  // One connection that could not be taken (no memory or file descriptor left for it) ends nobody else's.
  server.on("error", (error) => events.refused(error));
  return {
    port: (server.address() as AddressInfo).port,
    sockets: () => open.all.size,
    refuse: () => {
      server.close();
      server.closeIdleConnections();
    },
    close: async (code, reason) => {
      for (const socket of open.all) socket.close(code, reason);
      await open.empty();
      server.closeAllConnections();
    },
  };
}
