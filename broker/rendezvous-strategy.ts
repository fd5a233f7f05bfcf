import { createHash } from "node:crypto";
import { type Context, type ServiceBroker, Strategies } from "moleculer";
import { type ActionEndpoint, ableEndpoints } from "./able-nodes.ts";

type Weights = Map<string, number>;

const sharedWeights: Weights = new Map();

function weightOf(nodeId: string, key: string, weights: Weights): number {
  const name = `${nodeId}\0${key}`;
  let weight = weights.get(name);
  if (weight === undefined) {
    // Keys are buckets, a few hundred. So the memory stays small, unless nodes join and leave for a long time.
    if (weights.size > 50_000) weights.clear();
    weight = createHash("sha1").update(name).digest().readUIntBE(0, 6);
    weights.set(name, weight);
  }
  return weight;
}

/** The node that the strategy `Rendezvous` picks for a key; `undefined` where there is none. */
export function rendezvousNode(nodeIds: readonly string[], key: string, weights = sharedWeights): string | undefined {
  let best: string | undefined;
  let bestWeight = -1;
  for (const id of nodeIds) {
    const weight = weightOf(id, key, weights);
    if (best === undefined || weight > bestWeight || (weight === bestWeight && id < best)) {
      best = id;
      bestWeight = weight;
    }
  }
  return best;
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
  private readonly weights: Weights = new Map();

  constructor(registry: never, broker: ServiceBroker, options: { shardKey?: string }) {
    super(registry, broker, options);
    this.shardKey = options.shardKey ?? "bucket";
  }

  override select(all: ActionEndpoint[], ctx?: Context<Record<string, unknown>>): never {
    const list = ableEndpoints(all);
    const given = ctx?.params?.[this.shardKey];
    // Anything else is no bucket: the action's parameter check refuses it on any node.
    const key = typeof given === "number" || typeof given === "string" ? String(given) : "";
    const best = rendezvousNode(
      list.map(({ id }) => id),
      key,
      this.weights,
    );
    return list.find(({ id }) => id === best) as never;
  }
}

Strategies.register("Rendezvous", RendezvousStrategy as never);
