import type { ServiceBroker } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { serversOfNode } from "../../../broker/releases.ts";

/** The services whose nodes write rows of users, or say that all of them are right. */
const ofUsers: ReadonlySet<string> = new Set(["wallet", "gift", "auditor"]);

interface Offered {
  readonly name: string;
  readonly nodeID: string;
}

/**
 * The nodes on the bus that do not use all of these servers: those of release 1, and of builds without several
 * servers, check no gates.
 * A node that is away is not among them; it ends, or does not start, once it reads what the home server names.
 */
export function nodesWithout(broker: ServiceBroker, names: readonly string[]): string[] {
  const offered = broker.registry.getServiceList({ onlyAvailable: true }) as unknown as readonly Offered[];
  const lacking = offered.filter(({ name, nodeID }) => {
    if (!ofUsers.has(name)) return false;
    const known = serversOfNode(broker, nodeID, name);
    return names.some((one) => !known.includes(one));
  });
  return [...new Set(lacking.map(({ nodeID }) => nodeID))];
}

/** Fails: unavailable, where a node lacks one of the servers. */
export function requireNoneWithout(broker: ServiceBroker, names: readonly string[]): void {
  const without = nodesWithout(broker, names);
  if (without.length > 0)
    throw fail("unavailable", { cause: `WALLET_MYSQL_URLS of ${without.join(", ")} lacks a server` });
}
