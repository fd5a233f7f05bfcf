import type { ServiceBroker } from "moleculer";
import { release } from "../config/release.ts";
import { membersOf } from "./bus/roles.ts";
import { roleOfNode } from "./bus/subjects.ts";
import { fieldsOf } from "./unknown-values.ts";

/** What nodes tell each other of their releases, in the metadata of their INFO. */

/**
 * A node's metadata: its release, that it knows archives (mixins/archive/), and of each of its services with a database the
 * release of that schema.
 */
export function nodeMetadata(): { release: number; archives: true; schemas: Record<string, number> } {
  return { release, archives: true, schemas: {} };
}

/** Whether a node knows archives: it looks for a repeat of an archived gift there. Nodes of earlier builds say nothing. */
export const knowsArchives = (broker: ServiceBroker, nodeId: string): boolean =>
  metadataOf(broker, nodeId)?.archives === true;

/** Tells the other nodes, from the next INFO on, the release of the schema that a service of this node runs on. */
export function tellSchema({ metadata }: ServiceBroker, service: string, schema: number): void {
  const { schemas } = metadata as Partial<ReturnType<typeof nodeMetadata>>;
  if (schemas) schemas[service] = schema;
}

/** Tells the other nodes which servers of its data a service of this node uses, where it uses several. */
export function tellServers({ metadata }: ServiceBroker, service: string, names: readonly string[]): void {
  const known = fieldsOf((metadata as Record<string, unknown>).servers) ?? {};
  Object.assign(metadata as object, { servers: { ...known, [service]: names.join(",") } });
}

/** The servers that a service of a node says it uses, by name; none where it uses the one of its URL. */
export function serversOfNode(broker: ServiceBroker, nodeId: string, service: string): string[] {
  const told = fieldsOf(metadataOf(broker, nodeId)?.servers)?.[service];
  return typeof told === "string" && told !== "" ? told.split(",") : [];
}

/** A number as a release or the one of a node that tells none. */
const asRelease = (value: unknown): number => (Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : 1);

export interface NodeRelease {
  readonly nodeId: string;
  readonly release: number;
}

interface Listed {
  readonly id: string;
  readonly metadata?: unknown;
}

const listed = (broker: ServiceBroker) =>
  broker.registry.getNodeList({ onlyAvailable: true }) as unknown as readonly Listed[];

const metadataOf = (broker: ServiceBroker, nodeId: string) =>
  fieldsOf(listed(broker).find(({ id }) => id === nodeId)?.metadata);

/** The releases of the nodes that are on the bus, by this node's registry; this node is among them. */
export function releasesOnBus(broker: ServiceBroker): NodeRelease[] {
  return listed(broker).map(({ id, metadata }) => ({ nodeId: id, release: asRelease(fieldsOf(metadata)?.release) }));
}

/** The release of a node. */
export function releaseOf(broker: ServiceBroker, nodeId: string): number {
  return asRelease(metadataOf(broker, nodeId)?.release);
}

/** The release of the schema that a service of a node runs on; `undefined` where the node tells none. */
export function schemaOf(broker: ServiceBroker, nodeId: string, service: string): number | undefined {
  const schema = fieldsOf(metadataOf(broker, nodeId)?.schemas)?.[service];
  return schema === undefined ? undefined : asRelease(schema);
}

/**
 * Whether a provisioner of a later release than this one's is on the bus: it knows what belongs to the system better. What
 * other nodes tell counts for nothing: a node's role is bound to its login, and its release is its own word.
 */
export function isOutdated(broker: ServiceBroker): boolean {
  return releasesOnBus(broker).some(
    (node) => node.release > release && membersOf(roleOfNode(node.nodeId))?.has("provisioner") === true,
  );
}
