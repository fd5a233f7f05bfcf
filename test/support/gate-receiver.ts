import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Webhook } from "standardwebhooks";

export interface AskedGift {
  orderId: string;
  userId: string;
  externalId?: string;
  receiverId: string;
  receiverExternalId?: string;
  roomId: number;
  externalRoomId?: string;
  giftId: number;
  count: number;
  price: number;
}

type Decide = (gift: AskedGift) => object | undefined;
type Behave = (response: ServerResponse, answer: string) => void;

const answers: Behave = (response, answer) => void response.setHeader("content-type", "application/json").end(answer);
const allows: Decide = ({ orderId }) => ({ orderId, allow: true });

/** The platform's side of the gate: verifies every call as its receiver would, and answers as a test says. */
export class GateReceiver {
  /** What was asked, call by call. */
  readonly calls: AskedGift[][] = [];
  /** Calls whose signature the Standard Webhooks library refused. */
  readonly forged: string[] = [];
  decide: Decide = allows;
  behave: Behave = answers;
  private readonly secret: string;
  private server = createServer();
  private readonly sockets = new Set<Socket>();
  private port = 0;

  constructor(secret: string) {
    this.secret = secret;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/gate`;
  }

  /** Every gift that was asked about, in order. */
  get asked(): AskedGift[] {
    return this.calls.flat();
  }

  /** Listens, at the same port as before. */
  async start(): Promise<void> {
    this.server = createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      this.answer(request.headers, body, response);
    });
    this.server.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket)).on("error", () => {});
    });
    this.server.listen(this.port, "127.0.0.1");
    await once(this.server, "listening");
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Dies: every connection is cut, whatever is under way. */
  async kill(): Promise<void> {
    this.server.close();
    for (const socket of this.sockets) socket.resetAndDestroy();
    if (this.server.listening) await once(this.server, "close");
  }

  /** Allows everything again, and forgets what was asked. */
  reset(): void {
    this.calls.length = 0;
    [this.decide, this.behave] = [allows, answers];
  }

  private answer(headers: IncomingHttpHeaders, body: string, response: ServerResponse): void {
    try {
      new Webhook(this.secret).verify(body, headers as Record<string, string>);
    } catch (error) {
      this.forged.push((error as Error).message);
    }
    const { gifts } = JSON.parse(body) as { gifts: AskedGift[] };
    this.calls.push(gifts);
    this.behave(response, JSON.stringify({ decisions: gifts.flatMap((gift) => this.decide(gift) ?? []) }));
  }
}
