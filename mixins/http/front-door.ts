import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { sendFailure } from "./answer.ts";
import { AwaitedBodies } from "./awaited-bodies.ts";
import { type GatewayRequest, RequestContext } from "./request-context.ts";

/** The number of ports to try, where the first is taken. */
const portsTried = 101;

/** Also answered while the node has too much to do, since the process is alive. */
export const livenessPath = "/health/live";
/** Load balancers ask it: 503 from the first moment of a drain. */
export const readinessPath = "/health/ready";

interface Options {
  serve(request: GatewayRequest, response: ServerResponse): void;
  /** Called once for each request, when its answer was sent or its client left. */
  done(request: GatewayRequest, response: ServerResponse): void;
  /** Called with an error of a request or a connection that no other handler gets. */
  failed(error: unknown): void;
}

/** Answers a client whose bytes are not an HTTP request, if its socket is still open. */
function refuseGarbage(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = '{"code":400,"msg":"bad request","data":null}';
  const status =
    error.code === "HPE_HEADER_OVERFLOW"
      ? "431 Request Header Fields Too Large"
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? "408 Request Timeout"
        : "400 Bad Request";
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
}

function announcesBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

/** The HTTP server: its port, its bounds, and a stop that loses no request. */
export class FrontDoor {
  private readonly server: Server;
  private readonly options: Options;
  private readonly sockets = new Set<Socket>();
  /** Requests whose bodies may not have arrived; some may have. */
  private readonly awaited = new AwaitedBodies();
  private inFlight = 0;
  private draining = false;
  private drained: Promise<void> | undefined;
  private whenIdle: () => void = () => {};

  constructor(options: Options) {
    this.options = options;
    this.server = createServer(
      {
        headersTimeout: limits.http.headersTimeoutMs,
        requestTimeout: limits.http.requestTimeoutMs,
        keepAliveTimeout: limits.http.keepAliveTimeoutMs,
      },
      (request, response) => {
        try {
          this.receive(request, response);
        } catch (error) {
          // Uncaught, it would end the process; so its own connection is closed.
          options.failed(error);
          response.destroy();
        }
      },
    );
    // Clients that neither send nor read are closed.
    this.server.timeout = limits.http.requestTimeoutMs;
    this.server.maxConnections = limits.http.maxConnections;
    this.server.on("clientError", refuseGarbage);
    this.server.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
    });
  }

  /** The port it listens on. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Returns the port. With `search`, one of the next ports where the first is taken; rejects where none is free. */
  async listen(host: string, port: number, search: boolean): Promise<number> {
    const last = search && port > 0 ? Math.min(port + portsTried - 1, 65_535) : port;
    for (let tried = port; ; tried++) {
      try {
        return await this.listenOn(host, tried);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || tried >= last) throw error;
      }
    }
  }

  private listenOn(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      // The clients of a node that died connect all at once. A client that finds the queue full tries again only after
      // seconds.
      this.server.listen({ port, host, backlog: limits.http.listenBacklog }, () => {
        this.server.off("error", reject);
        this.server.on("error", (error) => this.options.failed(error));
        resolve(this.port);
      });
    });
  }

  private receive(message: IncomingMessage, response: ServerResponse): void {
    const request = message as GatewayRequest;
    request.context = new RequestContext(request);
    this.inFlight++;
    const place = announcesBody(request) ? this.awaited.add(request, response) : undefined;
    response.once("close", () => {
      this.inFlight--;
      if (place) this.awaited.leave(place);
      this.reportDone(request, response);
      if (this.inFlight === 0) this.whenIdle();
    });
    if (this.draining) response.setHeader("Connection", "close");
    const full = this.inFlight > limits.http.maxConcurrentRequests && !this.cutSlowest();
    const leaves = this.draining && request.url?.split("?", 1)[0] === readinessPath;
    if ((full && request.url !== livenessPath) || leaves) sendFailure(response, request.context, fail("unavailable"));
    // A browser's preflight must not be handled as the request that it asks about. OPTIONS has no other use here.
    else if (request.method === "OPTIONS") sendFailure(response, request.context, fail("notFound"));
    else this.options.serve(request, response);
  }

  private reportDone(request: GatewayRequest, response: ServerResponse): void {
    try {
      this.options.done(request, response);
    } catch (error) {
      this.options.failed(error);
    }
  }

  /**
   * Makes room by ending the request that has waited longest for its body: a client that opens many requests and
   * finishes none harms only itself. Returns whether there was one.
   */
  private cutSlowest(): boolean {
    for (let place = this.awaited.oldest; place; place = this.awaited.oldest) {
      const { request, response } = place;
      if (!request.complete && performance.now() - request.context.startedAt < limits.http.bodyPatienceMs) return false;
      this.awaited.leave(place);
      if (request.complete) continue;
      response.statusCode = 408;
      request.socket.destroy();
      return true;
    }
    return false;
  }

  /**
   * For `lingerMs` the door says that it is not ready, answers requests as always, and asks their clients to close the
   * connection, so that load balancers and clients leave. Then it takes no connection any more: who connects is refused
   * and goes to another gateway. Resolves once the running requests have ended, or `timeoutMs` after that; a repeat with
   * the first call, whose times alone count.
   */
  drain(timeoutMs: number, lingerMs = 0): Promise<void> {
    this.drained ??= this.leave(timeoutMs, lingerMs);
    return this.drained;
  }

  private async leave(timeoutMs: number, lingerMs: number): Promise<void> {
    this.draining = true;
    if (lingerMs > 0 && this.server.listening) await pause(lingerMs);
    if (this.server.listening) this.server.close();
    this.server.closeIdleConnections();
    if (this.inFlight === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.whenIdle = resolve;
      timer = setTimeout(resolve, timeoutMs);
    });
    clearTimeout(timer);
  }

  /** Closes the port and every connection, also idle ones. */
  async close(): Promise<void> {
    const closed = this.server.listening ? new Promise((resolve) => this.server.close(resolve)) : undefined;
    const ended = [...this.sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    for (const socket of this.sockets) socket.destroy();
    await Promise.all([closed, ...ended]);
  }
}
