import type { ServiceBroker } from "moleculer";
import { connect, type NatsConnection } from "nats";
import { busOptions } from "../../../broker/nats-options.ts";
import { config } from "../../../config/config.ts";

/** A packet as a stranger writes it: each part of its subject and its content may be a lie. */
export interface RawPacket {
  readonly type: string;
  /** A node id, or `all-nodes.all-nodes`. */
  readonly to: string;
  /** The sender in the subject. */
  readonly from: string;
  /** The sender in the packet; that of the subject where it is left out. */
  readonly sender?: string;
  /** The action or event in the subject. */
  readonly name?: string;
  readonly payload?: object;
}

interface Heard {
  readonly subject: string;
  readonly payload: { readonly id?: string; readonly error?: { readonly type: string }; readonly data?: unknown };
}

/** A plain NATS client with all rights, which knows the protocol. */
export class RawBus {
  private readonly connection: NatsConnection;

  private constructor(connection: NatsConnection) {
    this.connection = connection;
  }

  static async open(): Promise<RawBus> {
    return new RawBus(await connect(busOptions("stranger")));
  }

  send({ type, to, from, sender = from, name, payload }: RawPacket): void {
    const subject = `MOL-${config().NAMESPACE}.${type}.${to}.${from}${name === undefined ? "" : `.${name}`}`;
    this.connection.publish(subject, JSON.stringify({ ver: "5", sender, ...payload }));
  }

  publish(subject: string, body: string): void {
    this.connection.publish(subject, body);
  }

  /** What passes on the namespace's bus from now on; it is filled while the test runs. */
  async listen(pattern: string): Promise<Heard[]> {
    const heard: Heard[] = [];
    this.connection.subscribe(`MOL-${config().NAMESPACE}.${pattern}`, {
      callback: (_error, { subject, data }) => {
        heard.push({ subject, payload: JSON.parse(Buffer.from(data).toString()) });
      },
    });
    await this.connection.flush();
    return heard;
  }

  /** The first answer to a call; what it was sent with. */
  async answerTo(packet: RawPacket & { type: "REQ" }): Promise<Heard["payload"]> {
    const id = `raw-${Math.random()}`;
    const answers = this.connection.subscribe(`MOL-${config().NAMESPACE}.RES.${packet.from}.>`, { timeout: 10_000 });
    this.send({ ...packet, payload: { id, action: packet.name, params: {}, ...packet.payload } });
    for await (const message of answers) {
      const answer = message.json<Heard["payload"]>();
      if (answer.id === id) return answer;
    }
    throw new Error("no answer");
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}

/** Resolves once `node` has handled what was sent to it before: the bus keeps the order, and so does the node. */
export async function handled(from: ServiceBroker, node: ServiceBroker): Promise<void> {
  const pong = await from.ping(node.nodeID, 20_000);
  if (pong === null) throw new Error(`${node.nodeID} does not answer`);
}

/** How many packets and calls the node has refused for a reason. */
export function refusedBy(broker: ServiceBroker, reason: string): number {
  const metric = broker.metrics.getMetric("ovation.bus.refused") as unknown as {
    get(labels: object): { value: number } | undefined;
  };
  return metric.get({ reason })?.value ?? 0;
}
