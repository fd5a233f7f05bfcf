import { inflateRawSync } from "node:zlib";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { type ClientOptions, WebSocket } from "ws";
import { call } from "../../../services/contracts.ts";
import { routerBucketOf } from "../../../services/im-buckets.ts";
import type { Ticket } from "../../../services/im-router/im-router.contract.ts";
import imRouter from "../../../services/im-router/im-router.service.ts";
import type { ImLimits } from "../../../services/im-server/im-node.ts";
import imServer from "../../../services/im-server/im-server.service.ts";
import { admitting, restrictionsFake } from "../../support/restrictions-fake.ts";
import { eventually, startNode } from "../../support/system.ts";

export interface Body {
  msgId: string;
  userId: string;
  bizCode: number;
  data: Record<string, unknown>;
}
export interface Frame {
  code: number;
  body: Body & Record<string, unknown>;
}

/** What was reported to the fake living-room service, newest last. */
export const watchNumbers: { roomId: number; watchNum: number }[] = [];
/** Rooms that are not live; every other one is. */
export const deadRooms = new Set<number>();

export const livingRoomFake: ServiceSchema = {
  name: "living-room",
  actions: {
    find: (ctx: { params: { roomId: number } }) =>
      deadRooms.has(ctx.params.roomId)
        ? null
        : { roomId: ctx.params.roomId, anchorId: "1", type: 1, roomName: "a room" },
    anchorEntered: () => ({ live: true }),
    setWatchNumbers(ctx: { params: { rooms: { roomId: number; watchNum: number }[] } }) {
      watchNumbers.push(...ctx.params.rooms);
      return null;
    },
  },
} as unknown as ServiceSchema;

/** An im-server with the limits of config/limits.ts but for the `changed` ones. */
export async function startImServer(label: string, changed: Partial<ImLimits> = {}): Promise<ServiceBroker> {
  const server = { ...imServer, settings: changed as ServiceSchema["settings"] };
  return admitting(await startNode(label, [server, restrictionsFake]));
}

export function startRouter(label: string, ...others: ServiceSchema[]): Promise<ServiceBroker> {
  return startNode(label, [imRouter, ...others]);
}

/** One message of the system to a room, as a router sends it. */
export function postToRoom(
  router: ServiceBroker,
  message: { roomId: number; senderId: string; msgId: string; bizCode: number; data: Record<string, unknown> },
): Promise<null> {
  return call(router, "im-router.post", { bucket: routerBucketOf(message.roomId), ...message });
}

/** A caller's node that sees the given services everywhere they are. */
export async function seeing(broker: ServiceBroker, counts: Record<string, number>): Promise<void> {
  await eventually(`${broker.nodeID} sees ${JSON.stringify(counts)}`, async () => {
    const services = (await broker.call("$node.services", { onlyAvailable: true, grouping: true })) as {
      name: string;
      nodes: string[];
    }[];
    return Object.entries(counts).every(
      ([name, count]) => (services.find((service) => service.name === name)?.nodes.length ?? 0) === count,
    );
  });
}

/** A client as the tests see it: everything it received, and how it was closed. */
export class TestClient {
  readonly socket: WebSocket;
  readonly frames: Frame[] = [];
  /** The messages as they came; binary ones are compressed frames. */
  readonly messages: { data: Buffer; isBinary: boolean }[] = [];
  closed: { code: number; reason: string } | undefined;

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url, { perMessageDeflate: false, ...options });
    this.socket.on("message", (data: Buffer, isBinary) => {
      this.messages.push({ data, isBinary });
      this.frames.push(JSON.parse((isBinary ? inflateRawSync(data) : data).toString()) as Frame);
    });
    this.socket.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    this.socket.on("error", () => undefined); // A close follows, and that is what the tests look at.
  }

  get greeting(): (Body & Record<string, unknown>) | undefined {
    return this.frames.find(({ code }) => code === 1001)?.body;
  }

  business(bizCode?: number): Body[] {
    return this.frames
      .filter(({ code, body }) => code === 1003 && (bizCode === undefined || body.bizCode === bizCode))
      .map(({ body }) => body);
  }

  say(frame: unknown): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  chat(content: unknown, extra: object = {}): void {
    this.say({ code: 1003, body: { bizCode: 5555, data: { content, ...extra }, ...extra } });
  }

  async greeted(): Promise<this> {
    await eventually("a greeting", () => this.greeting ?? this.closed);
    if (!this.greeting) throw new Error(`closed instead of greeted: ${JSON.stringify(this.closed)}`);
    return this;
  }

  closing(timeoutMs?: number): Promise<{ code: number; reason: string }> {
    return eventually("a close", () => this.closed, timeoutMs);
  }

  async leave(): Promise<void> {
    this.socket.close();
    await this.closing();
  }
}

const nothing = () => undefined;
/** For a listener whose sockets nobody serves. */
export const noHandlers = {
  open: nothing,
  message: nothing,
  ping: nothing,
  pong: nothing,
  error: nothing,
  close: nothing,
  handlerThrew: nothing,
  acceptFailed: nothing,
};

const clients: TestClient[] = [];

export function openClient(url: string, options?: ClientOptions): TestClient {
  const client = new TestClient(url, options);
  clients.push(client);
  return client;
}

/** For afterAll, before the nodes stop. */
export function cutClients(): void {
  for (const { socket } of clients.splice(0)) socket.terminate();
}

export async function addressOf(node: ServiceBroker): Promise<string> {
  return (await call(node, "im-server.status", {}, { nodeID: node.nodeID })).address;
}

export async function ticketOf(node: ServiceBroker, userId: string): Promise<Ticket> {
  return (await call(node, "im-router.tickets", { userIds: [userId] })).tickets[0] as Ticket;
}

export async function tokenOf(node: ServiceBroker, userId: string): Promise<string> {
  return (await ticketOf(node, userId)).token;
}

/** So many picks in a row name each node, also where some have a few more connections. */
const picksForAll = 20;

/**
 * Until the router names each of these nodes to a crowd that comes now: an im-server that was slow to answer is named
 * to nobody for a while.
 */
export async function named(router: ServiceBroker, addresses: readonly string[]): Promise<void> {
  const userIds = Array.from({ length: picksForAll }, (_, n) => String(990_000 + n));
  await eventually("each node is named", async () => {
    const { tickets } = await call(router, "im-router.tickets", { userIds });
    return addresses.every((address) => tickets.some((ticket) => ticket.address === address));
  });
}

/** Connects a user to a room on a node; resolves once greeted. */
export async function connect(
  node: ServiceBroker,
  userId: string,
  roomId: number,
  more: More = {},
): Promise<TestClient> {
  return (await open(node, userId, roomId, more)).greeted();
}

/** Further parameters of a connection. */
interface More {
  since?: number;
  epoch?: string;
  v?: string;
  compress?: string;
}

/** The same, greeted or not. */
export async function open(node: ServiceBroker, userId: string, roomId: number, more: More = {}): Promise<TestClient> {
  const query = new URLSearchParams({ token: await tokenOf(node, userId), roomId: String(roomId) });
  for (const [name, value] of Object.entries(more)) query.set(name, String(value));
  return openClient(`${await addressOf(node)}?${query}`);
}
