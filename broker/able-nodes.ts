import type { ServiceBroker } from "moleculer";
import { fieldsOf } from "./unknown-values.ts";

/**
 * Which services of a node cannot do their work, since a server that they need does not answer this node. Each node
 * tells it in the metadata of its INFO. Callers prefer nodes that can: one that is cut off from its database answers
 * everything with 503, and would get its share of all calls for as long as that lasts. Where every node of a service
 * cannot, all of them are asked as usual: then the server is away, and not one node's way to it.
 */

interface Registry {
  localNodeInfoInvalidated: boolean | "seq";
  getNodeList(options: object): readonly { readonly id: string; readonly metadata?: unknown }[];
}

/** What is told, by service: an empty list where all can. */
interface Told {
  unable?: string[];
}

const registryOf = (broker: ServiceBroker) => broker.registry as unknown as Registry;

/** Tells all nodes that a service of this node cannot do its work, or can again; nothing where that was told before. */
export function tellAbility(broker: ServiceBroker, service: string, isAble: boolean): void {
  const metadata = broker.metadata as Told;
  const before = metadata.unable ?? [];
  if (before.includes(service) !== isAble) return;
  metadata.unable = isAble ? before.filter((name) => name !== service) : [...before, service];
  registryOf(broker).localNodeInfoInvalidated = "seq";
  // This node's own callers read the registry again too.
  (broker as unknown as { servicesChanged(isLocal: boolean): void }).servicesChanged(true);
}

/** Whether a node says that it cannot do the work of a service. */
export function isUnable(metadata: unknown, service: string): boolean {
  const told = fieldsOf(metadata)?.unable;
  return Array.isArray(told) && told.includes(service);
}

/** Of the nodes that offer a service those that can do its work; all where none can. */
export function ableAmong(broker: ServiceBroker, service: string, nodeIds: readonly string[]): string[] {
  const nodes = registryOf(broker).getNodeList({ onlyAvailable: true });
  const unable = new Set(nodes.filter(({ metadata }) => isUnable(metadata, service)).map(({ id }) => id));
  const able = nodeIds.filter((id) => !unable.has(id));
  return able.length > 0 ? able : [...nodeIds];
}

/** An endpoint of an action, as a strategy gets it. */
export interface ActionEndpoint {
  readonly id: string;
  readonly local?: boolean;
  readonly node?: { readonly metadata?: unknown };
  readonly service?: { readonly name: string };
}

/** Of the endpoints of an action those whose nodes can do the work; all where none can. The same list where all can. */
export function ableEndpoints<Endpoint extends ActionEndpoint>(list: Endpoint[]): Endpoint[] {
  if (!list.some(isUnableEndpoint)) return list;
  const able = list.filter((endpoint) => !isUnableEndpoint(endpoint));
  return able.length > 0 ? able : list;
}

function isUnableEndpoint({ node, service }: ActionEndpoint): boolean {
  return service !== undefined && isUnable(node?.metadata, service.name);
}
