import type { ServiceBroker } from "moleculer";
import { ableAmong } from "./able-nodes.ts";

interface Listed {
  readonly name: string;
  readonly nodeID: string;
}

/** The ids of the nodes that offer a service and can do its work (able-nodes.ts), by this node's registry. */
export function nodesOffering(broker: ServiceBroker, service: string): string[] {
  const list = broker.registry.getServiceList({ onlyAvailable: true }) as unknown as Listed[];
  const offering = list.filter(({ name }) => name === service).map(({ nodeID }) => nodeID);
  return ableAmong(broker, service, offering);
}

/** The events after which the registry may name other nodes. */
export const registryEvents = ["$services.changed", "$node.connected", "$node.disconnected"] as const;

/**
 * The nodes that offer a service, for callers that choose a node for each call. The registry is read again after it has
 * changed. A node that answered that it does not have the service is left out until then; one that did not answer, for
 * as long as the caller says.
 */
export class ServiceNodes {
  private readonly broker: ServiceBroker;
  private readonly service: string;
  /** With an object for each leaving out, by which its end knows whether it is still the last one. */
  private readonly without = new Map<string, object>();
  private known: readonly string[] | undefined;

  constructor(broker: ServiceBroker, service: string) {
    this.broker = broker;
    this.service = service;
    const changed = () => {
      this.known = undefined;
      this.without.clear();
    };
    for (const event of registryEvents) broker.localBus.on(event, changed);
  }

  /** In the order of their ids. The same array until the registry changes. */
  ids(): readonly string[] {
    this.known ??= nodesOffering(this.broker, this.service)
      .filter((id) => !this.without.has(id))
      .sort();
    return this.known;
  }

  /** Leaves a node out, until the registry changes, no other node is left, or `forMs` are over. */
  leaveOut(id: string, forMs?: number): void {
    const left = {};
    this.without.set(id, left);
    this.known = undefined;
    if (forMs !== undefined) setTimeout(() => this.takeBack(id, left), forMs).unref();
    if (this.ids().length > 0) return;
    this.without.clear();
    this.known = undefined;
  }

  /** Does nothing where the node was left out again meanwhile. */
  private takeBack(id: string, left: object): void {
    if (this.without.get(id) !== left) return;
    this.without.delete(id);
    this.known = undefined;
  }
}
