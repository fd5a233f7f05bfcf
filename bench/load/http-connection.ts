import { connect, type Socket } from "node:net";
import { type HttpReply, readReply } from "./http-reply.ts";

/**
 * A keep-alive HTTP connection that carries one request at a time, given as bytes. It is so small that the generator
 * is faster than the system under test.
 */
export class HttpConnection {
  private readonly socket: Socket;
  private received: Buffer | undefined;
  private waiting: { resolve(reply: HttpReply): void; reject(error: Error): void } | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.take(chunk));
    socket.on("error", (error) => this.fail(error));
    socket.on("close", () => this.fail(new Error("the connection was closed")));
  }

  static open(host: string, port: number): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new HttpConnection(socket));
      });
    });
  }

  /** False once either end has closed it. */
  get isOpen(): boolean {
    return !this.socket.destroyed && this.socket.writable && this.socket.readable;
  }

  /** Rejects where the connection breaks: the outcome of the request is unknown then. */
  ask(request: string): Promise<HttpReply> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.socket.write(request, "utf8");
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    this.received = this.received === undefined ? chunk : Buffer.concat([this.received, chunk]);
    try {
      const reply = readReply(this.received);
      if (reply === undefined) return;
      this.received = undefined;
      const { waiting } = this;
      this.waiting = undefined;
      waiting?.resolve(reply);
    } catch (error) {
      this.socket.destroy(error as Error);
    }
  }

  private fail(error: Error): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.reject(error);
  }
}
