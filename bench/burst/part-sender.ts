import { connect, type Socket } from "node:net";
import { type HttpReply, readReply } from "../load/http-reply.ts";
import { outcomeOf, reasonOf } from "../load/outcome.ts";
import { giftOf, orderOf, requestOf } from "./burst-gifts.ts";
import { outcome, type PartOfBurst } from "./outcomes.ts";

export interface PartOptions {
  /** Ports of 127.0.0.1 that serve gift/send; the connections take them in turn. */
  ports: readonly number[];
  connections: number;
  /** The number of the first user, and the tokens of the users from there on. */
  from: number;
  tokens: readonly string[];
  rooms: number;
}

const success = '{"code":200,';
/** Larger than an answer; a longer one is put together from several reads. */
const readBytes = 16 * 1024;

/** A kept-alive connection that carries one gift at a time. */
class GiftConnection {
  readonly socket: Socket;
  private received: Buffer | undefined;
  /** The position of the gift that waits for its answer; -1 where none does. */
  waiting = -1;
  private sentAt = 0;

  constructor(port: number, buffer: Buffer, answered: (reply: HttpReply, connection: GiftConnection) => void) {
    const take = (bytes: number) => {
      const read = buffer.subarray(0, bytes);
      const whole = this.received ? Buffer.concat([this.received, read]) : read;
      const reply = readReply(whole);
      this.received = reply ? undefined : Buffer.from(whole);
      if (reply) answered(reply, this);
    };
    // All connections read into one buffer, since an answer is handled before the next one is read.
    const onread = {
      buffer,
      callback: (bytes: number) => {
        try {
          take(bytes);
        } catch (error) {
          this.socket.destroy(error as Error);
        }
        return true;
      },
    };
    this.socket = connect({ host: "127.0.0.1", port, noDelay: true, onread });
  }

  opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once("error", reject);
      this.socket.once("connect", () => {
        this.socket.off("error", reject);
        resolve();
      });
    });
  }

  send(gift: number, request: string): void {
    this.waiting = gift;
    this.sentAt = performance.now();
    this.socket.write(request, "latin1");
  }

  /** Since the gift was sent, ms. */
  get waited(): number {
    return performance.now() - this.sentAt;
  }
}

/** The part of the burst that one process sends. */
export class PartSender {
  private readonly requests: readonly string[];
  /** Of each request, so that comparing its answer costs a search alone. */
  private readonly orderIds: readonly string[];
  private readonly connections: readonly GiftConnection[];
  private readonly part: PartOfBurst;
  private sent = 0;
  private open = 0;
  private over: () => void = () => {};

  private constructor({ ports, connections, from, tokens, rooms }: PartOptions) {
    const port = (i: number) => ports[i % ports.length] as number;
    this.requests = tokens.map((token, i) => requestOf(giftOf(from + i, rooms), { port: port(i), token }));
    this.orderIds = tokens.map((_, i) => orderOf(from + i, giftOf(from + i, rooms)));
    const [outcomes, millis] = [new Uint8Array(tokens.length), new Float64Array(tokens.length)];
    this.part = { from, outcomes, millis, refused: {}, firstAt: 0, lastAt: 0 };
    const buffer = Buffer.alloc(readBytes);
    const answered = (reply: HttpReply, connection: GiftConnection) => this.answered(reply, connection);
    this.connections = Array.from({ length: connections }, (_, i) => new GiftConnection(port(i), buffer, answered));
  }

  /** Makes all requests and opens all connections, so that afterwards it only has to send. */
  static async load(options: PartOptions): Promise<PartSender> {
    const sender = new PartSender(options);
    await Promise.all(
      sender.connections.map(async (connection) => {
        await connection.opened();
        sender.open++;
        connection.socket.on("error", (error) => process.stderr.write(`a connection broke: ${error.message}\n`));
        connection.socket.once("close", () => sender.closed(connection));
      }),
    );
    return sender;
  }

  /** Sends every gift once, as fast as the connections are answered. A gift without an answer is not repeated. */
  async send(): Promise<PartOfBurst> {
    const ended = new Promise<void>((resolve) => {
      this.over = resolve;
    });
    this.part.firstAt = Date.now();
    for (const connection of this.connections) if (!connection.socket.destroyed) this.sendNext(connection);
    if (this.open > 0) await ended;
    return this.part;
  }

  /** A connection for which no gift is left is closed. */
  private sendNext(connection: GiftConnection): void {
    const gift = this.sent;
    const request = this.requests[gift];
    if (request === undefined) {
      connection.socket.destroy();
      return;
    }
    this.sent++;
    connection.send(gift, request);
  }

  private answered(reply: HttpReply, connection: GiftConnection): void {
    const { outcomes, millis, refused } = this.part;
    const gift = connection.waiting;
    connection.waiting = -1;
    millis[gift] = connection.waited;
    this.part.lastAt = Date.now();
    const read = outcomeOf(reply, success);
    const what = read === "accepted" && !reply.body.includes(this.orderIds[gift] as string) ? "misnamed" : read;
    outcomes[gift] = outcome[what];
    if (what !== "accepted") {
      const reason = what === "misnamed" ? "a success with another order's id" : reasonOf(reply);
      refused[reason] = (refused[reason] ?? 0) + 1;
    }
    this.sendNext(connection);
  }

  private closed({ waiting }: GiftConnection): void {
    if (waiting >= 0) this.part.outcomes[waiting] = outcome.unknown;
    this.open--;
    if (this.open === 0) this.over();
  }
}
