import type { ServiceBroker } from "moleculer";

interface Listed {
  readonly name: string;
  readonly nodeID: string;
}

/** The ids of the nodes that offer a service, by this node's registry. */
export function nodesOffering(broker: ServiceBroker, service: string): string[] {
  const list = broker.registry.getServiceList({ onlyAvailable: true }) as unknown as Listed[];
  return list.filter(({ name }) => name === service).map(({ nodeID }) => nodeID);
}

/** The events after which the registry may name other nodes. */
export const registryEvents = ["$services.changed", "$node.connected", "$node.disconnected"] as const;

/**
 * The nodes that offer a service, for callers that choose a node for each call. The registry is read again after it has
 * changed. A node that answered that it does not have the service is left out until then.
 */
export class ServiceNodes {
  private readonly broker: ServiceBroker;
  private readonly service: string;
  private readonly without = new Set<string>();
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

  /** Leaves a node out until the registry changes, or until no other node is left. */
  leaveOut(id: string): void {
    this.without.add(id);
    this.known = undefined;
    if (this.ids().length > 0) return;
    this.without.clear();
    this.known = undefined;
  }
}
