import { type ServiceBroker, Transporters } from "moleculer";
import { ErrorCode } from "nats";
import { limits } from "../../config/limits.ts";
import { maySend } from "../../services/access.ts";
import { fail } from "../failure.ts";
import { rememberServers } from "../nats-connect.ts";
import { knownServices, type Receiver, whyRefused } from "./packet-checks.ts";
import { type Refusals, refusalsOf } from "./refusals.ts";
import { type Address, everyone, isNodeId, type PacketType, packetTypes, readSubject, roleOfNode } from "./subjects.ts";

/** The used parts of Moleculer's transporter and of the client of package nats, which are missing in Moleculer's types. */
interface Packet {
  readonly type: PacketType;
  readonly target: string | null | undefined;
  readonly payload: Record<string, unknown>;
}
interface Message {
  readonly subject: string;
  readonly data: Uint8Array;
}
interface Status {
  readonly type: string;
  readonly data: unknown;
  readonly permissionContext?: { readonly operation: string; readonly subject: string };
}
interface Subscription {
  unsubscribe(): void;
}
interface Client {
  subscribe(subject: string, options: { callback(error: Error | null, message: Message): void }): Subscription;
  flush(): Promise<void>;
  close(): Promise<void>;
  isClosed(): boolean;
  status(): AsyncIterable<Status>;
}
interface Transit {
  readonly pendingRequests: ReadonlyMap<unknown, { readonly nodeID: string }>;
}
declare class NatsTransporter {
  constructor(options: object);
  readonly opts: { readonly servers?: string[] };
  readonly broker: ServiceBroker;
  client: Client | null;
  readonly nodeID: string;
  readonly prefix: string;
  readonly transit: Transit;
  init(transit: Transit, ...handlers: unknown[]): void;
  connect(): Promise<unknown>;
  onConnected(wasReconnect?: boolean): Promise<unknown>;
  makeSubscriptions(topics: unknown): Promise<unknown>;
  receive(command: string, data: Buffer, address?: Address): Promise<unknown> | undefined;
  publish(packet: Packet): Promise<unknown>;
  send(topic: string, data: Buffer, meta: { packet: Packet }): Promise<unknown>;
  serialize(packet: Packet): Buffer;
  deserialize(command: string, data: Buffer): Packet;
  messageHandler(command: string, packet: Packet): Promise<unknown>;
}
/** Moleculer's register of nodes. It forgets one that is gone after ten minutes. */
interface KnownNodes {
  get(nodeId: string): unknown;
  delete(nodeId: string): void;
  toArray(): readonly { readonly id: string; readonly available: boolean }[];
}

/** Whether a node is known or its role has less than `limits.bus.nodesOfRole`; those that are gone make room. */
export function hasPlaceFor(nodes: KnownNodes, nodeId: string): boolean {
  if (nodes.get(nodeId)) return true;
  const ofRole = nodes.toArray().filter(({ id }) => roleOfNode(id) === roleOfNode(nodeId));
  if (ofRole.length < limits.bus.nodesOfRole) return true;
  const gone = ofRole.find(({ available }) => !available);
  if (gone) nodes.delete(gone.id);
  return gone !== undefined;
}

const Nats = Transporters.NATS as unknown as typeof NatsTransporter;

/**
 * Moleculer's NATS transporter with subjects that name sender, receiver and action (broker/bus/subjects.ts), so that
 * the server decides who speaks as whom. A packet that says something else than its subject is dropped here, before
 * Moleculer sees it: it is logged and counted, and its sender gets no answer.
 */
class OwnSubjects extends Nats {
  private refusals: Refusals | undefined;
  private receiver: Receiver | undefined;
  private readonly addresses = new Map<string, Address | undefined>();
  /** The subscriptions that nats-server refuses. While there is one, the node is not ready: see `busProblem`. */
  readonly refused = new Set<string>();

  override init(transit: Transit, ...handlers: unknown[]): void {
    super.init(transit, ...handlers);
    this.refusals = refusalsOf(this.broker);
    this.receiver = {
      nodeId: this.nodeID,
      askedNode: (id) => transit.pendingRequests.get(id)?.nodeID,
      hasPlaceFor: (nodeId) => hasPlaceFor(this.broker.registry.nodes as unknown as KnownNodes, nodeId),
    };
  }

  /** Moleculer tries again with a new client: that of a try that failed must not live on and hear everything too. */
  override async connect(): Promise<unknown> {
    try {
      return await super.connect();
    } catch (error) {
      await this.client?.close();
      this.client = null;
      throw error;
    }
  }

  override onConnected(wasReconnect?: boolean): Promise<unknown> {
    rememberServers(this.client as Client, this.opts.servers);
    this.watchPublications(this.client as Client).catch((error: unknown) =>
      this.broker.logger.error({ err: error }, "the bus connection is not watched any more for refused publications"),
    );
    return super.onConnected(wasReconnect);
  }

  /** What is for this node, and what is for every node. Resolves once nats-server has accepted both. */
  override makeSubscriptions(): Promise<unknown> {
    const client = this.client as Client;
    const subjects = [this.nodeID, everyone].map((receiver) => `${this.prefix}.*.${receiver}.>`);
    return Promise.all(subjects.map((subject) => this.subscribeTo(client, subject)));
  }

  override publish(packet: Packet): Promise<unknown> {
    const { type, target, payload } = packet;
    if (target != null && !isNodeId(target))
      return Promise.reject(fail("internal", { cause: "a packet for something that is no node id", type }));
    const { named } = packetTypes[type];
    let subject = `${this.prefix}.${type}.${target ?? everyone}.${this.nodeID}`;
    if (named !== undefined) subject += `.${payload[named]}`;
    if (type === "EVENT" && !maySend(roleOfNode(this.nodeID), String(payload.event))) {
      this.note("broadcast", { from: this.nodeID, name: payload.event }, "this node may not send this broadcast");
      return Promise.reject(fail("callerRefused", { event: payload.event, role: roleOfNode(this.nodeID) }));
    }
    return this.send(subject, this.serialize(packet), { packet });
  }

  /** The guard of incoming packets is around this (broker/bus-guard.middleware.ts). */
  override receive(command: string, data: Buffer, address?: Address): Promise<unknown> | undefined {
    if (!address) return undefined;
    let packet: Packet;
    try {
      packet = this.deserialize(command, data);
    } catch {
      this.note("content", { from: address.from, type: command }, "a packet on the bus is no JSON and is refused");
      return undefined;
    }
    const reason = whyRefused(address, packet.payload, data.length, this.receiver as Receiver);
    if (reason === undefined) {
      const { payload } = packet;
      if (command === "INFO") payload.services = knownServices(payload.services as unknown[]);
      return this.messageHandler(command, packet);
    }
    const { from, to, name } = address;
    const { sender, requestID } = (packet.payload ?? {}) as { sender?: unknown; requestID?: unknown };
    this.note(
      reason,
      { from, to, type: command, name, sender, requestId: requestID },
      "a packet on the bus is refused",
    );
    return undefined;
  }

  private note(reason: Parameters<Refusals["note"]>[0], about: Record<string, unknown>, text: string): void {
    this.refusals?.note(reason, about, text);
  }

  private arrived({ subject, data }: Message): void {
    const address = this.addressOf(subject);
    if (address) this.receive(address.type, Buffer.from(data.buffer, data.byteOffset, data.length), address);
    else this.note("subject", { name: subject }, "a packet on a subject that is none of the bus is refused");
  }

  private addressOf(subject: string): Address | undefined {
    const known = this.addresses.get(subject);
    if (known) return known;
    const address = readSubject(this.prefix, subject);
    if (this.addresses.size >= limits.bus.knownSubjects) this.addresses.clear();
    if (address) this.addresses.set(subject, address);
    return address;
  }

  /**
   * Subscribes, again and again: where nats-server refuses it, the login may get the right without a restart; where the
   * connection is lost, the client makes a new one. It never rejects, since Moleculer would then make a second client.
   */
  private async subscribeTo(client: Client, subject: string): Promise<void> {
    while (!client.isClosed() && !(await this.isAccepted(client, subject)))
      await new Promise((resolve) => setTimeout(resolve, limits.bus.subscribeAgainMs).unref());
  }

  /** Subscribes once. What is not accepted leaves no subscription; what is refused later is tried again. */
  private async isAccepted(client: Client, subject: string): Promise<boolean> {
    let [isRefused, isAccepted] = [false, false];
    const subscription = client.subscribe(subject, {
      callback: (error, message) => {
        if (!error) return this.arrived(message);
        isRefused = true;
        this.refused.add(subject);
        this.note("subscription", { name: subject, error: error.message }, refusedSubscription);
        if (isAccepted) void this.subscribeTo(client, subject);
      },
    });
    try {
      // What the server says of the subscription precedes its answer to this.
      await client.flush();
    } catch (error) {
      this.broker.logger.warn({ subject, err: error }, "the bus is lost during a subscription, which is tried again");
      // The client would make it again at its next connection, beside that of the next try.
      subscription.unsubscribe();
      return false;
    }
    isAccepted = !isRefused;
    if (isAccepted) this.refused.delete(subject);
    return isAccepted;
  }

  private async watchPublications(client: Client): Promise<void> {
    for await (const { type, data, permissionContext } of client.status()) {
      if (type !== "error" || data !== ErrorCode.PermissionsViolation) continue;
      const { operation, subject } = permissionContext ?? {};
      if (operation === "publish") this.note("publication", { name: subject }, refusedPublication);
    }
  }
}

const refusedSubscription =
  "nats-server refuses what this node must hear: it starts, or is ready again, once its login has the rights of its role";
const refusedPublication =
  "nats-server refuses what this node says: nobody hears it, and a call waits until its time-out. Does the login have the " +
  "rights of the node's role?";

Transporters.register("OwnSubjects", OwnSubjects as never);

/** What keeps this node from hearing the bus, for its health; `undefined` where nothing does. */
export function busProblem(broker: ServiceBroker): string | undefined {
  const refused = (broker.transit as unknown as { tx?: { refused?: ReadonlySet<string> } } | null)?.tx?.refused;
  return refused?.size ? `nats-server refuses the subscription ${[...refused].join(" and ")}` : undefined;
}

/** Resolves once the server of this node's bus connection has answered; a node without a bus has nothing to wait for. */
export async function busAnswers(broker: ServiceBroker): Promise<void> {
  const bus = (broker.transit as unknown as { tx?: { client?: Client | null } } | null)?.tx;
  if (bus?.client === null) throw new Error("there is no connection to the bus");
  await bus?.client?.flush();
}
