import type { ServiceBroker } from "moleculer";
import type { Log } from "../../broker/log.ts";
import { rendezvousNode } from "../../broker/rendezvous-strategy.ts";
import { nodesOffering } from "../../broker/service-nodes.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import { freeLeases, takeLeases } from "./lease-store.ts";
import { allWebhooks, type Webhook } from "./webhook-store.ts";

interface Parts {
  readonly broker: ServiceBroker;
  readonly mysql: Database;
  readonly log: Log;
  readonly bounds: { readonly leaseMs: number; readonly leaseEveryMs: number };
  /** Whether calls of it are under way on this node, or outcomes are not written yet. */
  isBusy(webhookId: string): boolean;
  /** Called with the subscriptions whose calls this node makes, each time they were looked up. */
  changed(owned: readonly Webhook[]): void;
  /** Other nodes may have had the subscriptions meanwhile: what was read of their deliveries is out of date. */
  lapsed(): void;
}

/**
 * Which subscriptions belong to this node. Rendezvous hashing over the webhook nodes says which one should have it; a
 * lease in the database makes sure that no two have it. A node keeps its lease until its calls have ended, and then gives
 * it to the node that should have it. When a node dies its leases expire.
 */
export class Ownership {
  private readonly parts: Parts;
  private readonly loop: BackgroundLoop;
  private held = new Set<string>();
  /** When the leases expire, by this process's clock: early rather than late. */
  private heldUntil = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts) {
    this.parts = parts;
    const { leaseEveryMs } = parts.bounds;
    this.loop = new BackgroundLoop({
      ...{ name: "leases of webhooks", idleMs: leaseEveryMs, errorBackoffMs: leaseEveryMs, log: parts.log },
      round: () => this.round(),
    });
  }

  /** Subscriptions were changed on this node. */
  wake(): void {
    this.loop.wake();
  }

  /** Whether a call may be made now. */
  holds(webhookId: string): boolean {
    return this.held.has(webhookId) && performance.now() < this.heldUntil;
  }

  /** Once nothing is under way: other nodes can take the leases at once. */
  async stop(): Promise<void> {
    await this.loop.stop();
    const { mysql, broker, log } = this.parts;
    await freeLeases(mysql, broker.nodeID, [...this.held]).catch((err: unknown) => {
      log.warn({ err }, "the leases of webhooks were not freed: they expire by themselves");
    });
    this.held.clear();
  }

  private async round(): Promise<boolean> {
    const { broker, mysql, bounds, isBusy, changed, lapsed } = this.parts;
    const webhooks = (await allWebhooks(mysql)).filter(({ enabled }) => enabled);
    const nodes = nodesOffering(broker, "webhook");
    const own = webhooks.filter(({ id }) => rendezvousNode(nodes, `webhook ${id}`) === broker.nodeID);
    const ownIds = new Set(own.map(({ id }) => id));
    const others = [...this.held].filter((id) => !ownIds.has(id));
    // Its calls may end; no new one begins.
    const leaving = others.filter(isBusy);
    const askedAt = performance.now();
    const held = await takeLeases(mysql, { holder: broker.nodeID, ms: bounds.leaseMs }, [...ownIds, ...leaving]);
    if (performance.now() >= this.heldUntil) lapsed();
    this.held = held;
    this.heldUntil = askedAt + bounds.leaseMs;
    const ended = others.filter((id) => !isBusy(id));
    for (const id of ended) this.held.delete(id);
    await freeLeases(mysql, broker.nodeID, ended);
    changed(own.filter(({ id }) => this.held.has(id)));
    return false;
  }
}
