import type { ServiceBroker } from "moleculer";
import { limits } from "../../config/limits.ts";
import { shown } from "../unknown-values.ts";

/** Why a packet, call, subscription or publication was refused: a label of the metric. */
export type RefusalReason =
  /** The packet's subject is none of the bus. */
  | "subject"
  /** The packet is no JSON. */
  | "content"
  /** The sender in the packet is not the one in its subject, or is this node. */
  | "sender"
  /** The sender's role does not exist. */
  | "role"
  /** The action or event in the packet is not the one in its subject. */
  | "name"
  /** An answer from a node that was not asked. */
  | "answer"
  /** The node claims services or actions that its role does not have. */
  | "services"
  /** What a node says of itself is longer than `limits.bus.infoBytes`. */
  | "tooLarge"
  /** A node of a role that has `limits.bus.nodesOfRole` already. */
  | "tooMany"
  /** A stream of parts, which no service uses. */
  | "stream"
  /** The caller is not in the table. */
  | "caller"
  /** The sender of a broadcast is not in the table. */
  | "broadcast"
  /** nats-server refused what this node published. */
  | "publication"
  /** nats-server refused what this node wants to hear. */
  | "subscription";

interface About {
  /** A node id, as claimed where it was not checked. */
  readonly from?: string;
  readonly name?: string;
  readonly [field: string]: unknown;
}

const counter = {
  type: "counter",
  name: "ovation.bus.refused",
  description: "Packets, calls, subscriptions and publications that were refused",
  labelNames: ["reason"],
} as const;

/** Counts and logs what is refused on the bus of one node. Whoever floods a node does not flood its log. */
export class Refusals {
  private readonly broker: ServiceBroker;
  private readonly logged = new Set<string>();
  private unlogged = 0;
  private windowEndsAt = 0;

  constructor(broker: ServiceBroker) {
    this.broker = broker;
    broker.metrics.register({ ...counter, labelNames: [...counter.labelNames] });
  }

  /** @param text what was refused and what follows; values of other nodes belong in `about`. */
  note(reason: RefusalReason, about: About, text: string): void {
    this.broker.metrics.increment(counter.name, { reason });
    this.openWindow();
    const key = JSON.stringify([reason, about.from, about.name]);
    if (this.logged.has(key) || this.logged.size >= limits.bus.refusalLogLines) {
      this.unlogged++;
      return;
    }
    this.logged.add(key);
    const fields = Object.entries(about).map(([name, value]) => [name, shown(value)]);
    this.broker.logger.error({ reason, ...Object.fromEntries(fields) }, text);
  }

  private openWindow(): void {
    const now = performance.now();
    if (now < this.windowEndsAt) return;
    if (this.unlogged > 0)
      this.broker.logger.error(
        { refused: this.unlogged },
        "the bus refused more, which repeats or exceeds what is logged",
      );
    this.logged.clear();
    this.unlogged = 0;
    this.windowEndsAt = now + limits.bus.refusalLogMs;
  }
}

const ofBrokers = new WeakMap<ServiceBroker, Refusals>();

/** The refusals of a broker's bus. */
export function refusalsOf(broker: ServiceBroker): Refusals {
  const known = ofBrokers.get(broker);
  if (known) return known;
  const refusals = new Refusals(broker);
  ofBrokers.set(broker, refusals);
  return refusals;
}
