import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import { limits } from "../../config/limits.ts";
import { closeCodes } from "../im-frames.ts";

const lowestReasonCode = 4000;

/** A socket whose protocol errors (too large, not UTF-8, malformed) close with the code that our clients know. */
class ImSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    if (code === undefined || code === 1000 || code >= lowestReasonCode || code === 1001) super.close(code, reason);
    else if (code === 1009)
      super.close(closeCodes.protocolFault, `a frame is larger than ${limits.im.frameBytes} bytes`);
    else super.close(closeCodes.protocolFault, "malformed WebSocket frame");
  }
}

export interface Listener {
  readonly port: number;
  /** Sockets that are not closed yet, known to us or not. */
  sockets(): ReadonlySet<WebSocket>;
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

type OnSocket = (socket: WebSocket, query: URLSearchParams) => void;

async function listenOn(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
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

/**
 * The node's own HTTP server, which speaks WebSocket on /im and nothing else. Every upgrade there is accepted: a browser
 * sees no HTTP status, so a refusal is a close code.
 */
export async function openListener(options: ListenerOptions, onSocket: OnSocket): Promise<Listener> {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: limits.im.frameBytes,
    clientTracking: true,
    WebSocket: ImSocket as unknown as typeof WebSocket,
    ...{ closeTimeout: options.closeGraceMs },
  });
  const { headersTimeoutMs, allowedOrigins } = options;
  const connectionsCheckingInterval = Math.min(1_000, headersTimeoutMs);
  const server = createServer({ connectionsCheckingInterval }, (_request, response) => {
    response.writeHead(426, { Connection: "close", Upgrade: "websocket" }).end();
  });
  server.headersTimeout = headersTimeoutMs;
  server.maxConnections = options.connectionsMax;
  server.on("upgrade", (request, socket, head) => {
    const url = upgradeUrl(request);
    if (!url) return notFound(socket);
    // Only browsers say where a page is from; others could say what they like.
    const { origin } = request.headers;
    const foreign = origin !== undefined && allowedOrigins && !allowedOrigins.includes(origin);
    sockets.handleUpgrade(request, socket, head, (accepted) => {
      if (foreign) accepted.close(closeCodes.foreignOrigin, "pages of this origin may not connect");
      else onSocket(accepted, url.searchParams);
    });
  });
  await listenFrom(server, options.host, options.port);
  return {
    port: (server.address() as AddressInfo).port,
    sockets: () => sockets.clients,
    refuse: () => {
      server.close();
      server.closeIdleConnections();
    },
    close: async (code, reason) => {
      for (const socket of sockets.clients) socket.close(code, reason);
      await new Promise((resolve) => sockets.close(resolve));
      server.closeAllConnections();
    },
  };
}
