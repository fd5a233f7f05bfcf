import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { limits } from "../../config/limits.ts";
import type { TrustedProxies } from "../../config/trusted-proxies.ts";
import { clientAddress } from "../../mixins/http/client-address.ts";
import { closeCodes } from "../im-frames.ts";
import { guardedListeners, ImSocket, type SocketHandlers } from "./im-socket.ts";

export interface Listener {
  readonly port: number;
  /** The number of sockets that are not closed yet, with or without a connection. */
  sockets(): number;
  /** Accepts no more connections; existing ones stay. */
  refuse(): void;
  /** Closes all open sockets, and resolves once the last one is closed, after `closeGraceMs` at the most. */
  close(code: number, reason: string): Promise<void>;
}

export interface ListenerOptions {
  host: string;
  port: number;
  closeGraceMs: number;
  headersTimeoutMs: number;
  connectionsMax: number;
  /** The pages that may connect; `undefined` allows any. */
  allowedOrigins: readonly string[] | undefined;
  /** The proxies whose X-Forwarded-For is trusted. */
  proxies: TrustedProxies;
}

export interface ListenerHandlers extends SocketHandlers {
  /** Called for each new socket, before any other handler. `address` is the key of the client's address for limits. */
  open(socket: ImSocket, query: URLSearchParams, address: string): void;
  /** The system could not accept a connection; the listener continues. */
  acceptFailed(error: Error): void;
}

async function listenOn(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // The clients of a node that died connect all at once. A client that finds the queue full tries again only after
    // seconds.
    server.listen({ port, host, backlog: limits.im.listenBacklog }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/**
 * Listens on the port or the next free one; 0 is any free port. Rejects where none of `limits.im.portsTried` is free.
 */
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

  /** Resolves once the last one is closed. None may be added meanwhile. */
  async empty(): Promise<void> {
    if (this.all.size > 0) await new Promise<void>((resolve) => (this.onEmpty = resolve));
  }
}

/**
 * The node's own HTTP server, for WebSockets on /im alone. Every upgrade on /im is accepted, since a browser does not
 * see an HTTP status: a refusal is a close code.
 */
export async function openListener(options: ListenerOptions, handlers: ListenerHandlers): Promise<Listener> {
  const upgrades = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: limits.im.frameBytes,
    // The node answers pings and tracks its sockets itself: ws would keep closures for both with each socket.
    autoPong: false,
    clientTracking: false,
    WebSocket: ImSocket as unknown as typeof WebSocket,
    ...{ closeTimeout: options.closeGraceMs },
  });
  const open = new OpenSockets();
  const listeners = guardedListeners({
    ...handlers,
    close(socket, code) {
      open.remove(socket);
      handlers.close(socket, code);
    },
  });
  const opened = (socket: ImSocket, query: URLSearchParams, address: string) => {
    try {
      handlers.open(socket, query, address);
    } catch (error) {
      handlers.handlerThrew(socket, "open", error);
    }
  };
  const { headersTimeoutMs, allowedOrigins, proxies } = options;
  const connectionsCheckingInterval = Math.min(1_000, headersTimeoutMs);
  const server = createServer({ connectionsCheckingInterval }, (_request, response) => {
    response.writeHead(426, { Connection: "close", Upgrade: "websocket" }).end();
  });
  server.headersTimeout = headersTimeoutMs;
  server.maxConnections = options.connectionsMax;
  server.on("upgrade", (request, line, head) => {
    const url = upgradeUrl(request);
    if (!url) return notFound(line);
    // Only browsers send the header reliably; other clients can send any value.
    const { origin } = request.headers;
    const address = clientAddress(request.socket.remoteAddress, request.headers["x-forwarded-for"], proxies).key;
    const foreign = origin !== undefined && allowedOrigins && !allowedOrigins.includes(origin);
    upgrades.handleUpgrade(request, line, head, (accepted) => {
      const socket = accepted as unknown as ImSocket;
      socket.listen(listeners);
      socket.line = line;
      open.all.add(socket);
      if (foreign) socket.close(closeCodes.foreignOrigin, "pages of this origin may not connect");
      else opened(socket, url.searchParams, address);
    });
  });
  await listenFrom(server, options.host, options.port);
  // A connection that cannot be accepted (no memory or file descriptor is left) affects no other connection.
  server.on("error", (error) => handlers.acceptFailed(error));
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
