import type { ServiceBroker } from "moleculer";
import type { Caller } from "../../broker/bus/roles.ts";
import { membersOf } from "../../broker/bus/roles.ts";
import { roleOfNode } from "../../broker/bus/subjects.ts";
import { knowsArchives, releasesOnBus } from "../../broker/releases.ts";

/** Whether the nodes on the bus let the archive get on. */

export interface HeardNode {
  readonly nodeId: string;
  /** Whether it says so; nodes of earlier builds do not. */
  readonly knowsArchives: boolean;
}

/** Who writes or compares business ids and records. A repeat goes through both wallet and gift, whatever table is moved. */
const concerned = ["wallet", "gift", "auditor"] as const satisfies readonly Caller[];
/** Whose silence says that this node hears nothing of the bus, and so no node of an earlier build either. */
const mustBeHeard = ["wallet", "gift"] as const satisfies readonly Caller[];

/** Why nothing may be filtered or moved with these nodes on the bus; `undefined` where it may. Pure. */
export function obstacleOf(nodes: readonly HeardNode[]): string | undefined {
  const offers = (nodeId: string, service: Caller) => membersOf(roleOfNode(nodeId))?.has(service) === true;
  const old = nodes.filter((node) => !node.knowsArchives && concerned.some((service) => offers(node.nodeId, service)));
  if (old.length > 0)
    return `nodes of a build that knows no archive run: ${old.map(({ nodeId }) => nodeId).join(", ")}`;
  const silent = mustBeHeard.filter((service) => !nodes.some(({ nodeId }) => offers(nodeId, service)));
  if (silent.length > 0)
    return `no node of ${silent.join(" and ")} is heard, so it is not known of which build they are`;
  return undefined;
}

/** The same of the nodes that this one hears. */
export const obstacleOnBus = (broker: ServiceBroker): string | undefined =>
  obstacleOf(releasesOnBus(broker).map(({ nodeId }) => ({ nodeId, knowsArchives: knowsArchives(broker, nodeId) })));
