import { createHash } from "node:crypto";
import { type Context, type ServiceBroker, Strategies } from "moleculer";

interface Endpoint {
  readonly id: string;
}

/**
 * Highest-random-weight (rendezvous) hashing, Thaler and Ravishankar 1998: every caller picks the same node for a key.
 * When a node joins or leaves, only its own keys move. Moleculer's own `Shard` moves about half of all keys.
 *
 * Use it by name in an action: `strategy: "Rendezvous", strategyOptions: { shardKey: "bucket" }`. A class in an
 * action's schema would be lost on its way to other nodes. The strategy gives affinity, for speed; other nodes may
 * still get a call.
 */
export class RendezvousStrategy extends Strategies.Base {
  private readonly shardKey: string;
  private readonly weights = new Map<string, number>();

  constructor(registry: never, broker: ServiceBroker, options: { shardKey?: string }) {
    super(registry, broker, options);
    this.shardKey = options.shardKey ?? "bucket";
  }

  override select(list: Endpoint[], ctx?: Context<Record<string, unknown>>): never {
    const given = ctx?.params?.[this.shardKey];
    // Anything else is no bucket: the action's parameter check refuses it on any node.
    const key = typeof given === "number" || typeof given === "string" ? String(given) : "";
    let best = list[0] as Endpoint;
    let bestWeight = -1;
    for (const endpoint of list) {
      const weight = this.weight(endpoint.id, key);
      if (weight > bestWeight || (weight === bestWeight && endpoint.id < best.id)) {
        best = endpoint;
        bestWeight = weight;
      }
    }
    return best as never;
  }

  private weight(nodeId: string, key: string): number {
    const name = `${nodeId}\0${key}`;
    let weight = this.weights.get(name);
    if (weight === undefined) {
      // Keys are buckets, a few hundred. So the memory stays small, unless nodes join and leave for a long time.
      if (this.weights.size > 50_000) this.weights.clear();
      weight = createHash("sha1").update(name).digest().readUIntBE(0, 6);
      this.weights.set(name, weight);
    }
    return weight;
  }
}

Strategies.register("Rendezvous", RendezvousStrategy as never);
