import { setTimeout as pause } from "node:timers/promises";
import { roleOfNode } from "../broker/bus/subjects.ts";
import { type NodeRelease, releasesOnBus } from "../broker/releases.ts";
import { limits } from "../config/limits.ts";
import type { Migration } from "../mixins/mysql/migration-files.ts";
import { fromConsole } from "./console-node.ts";

/** A node that did not answer at once is heard by its heartbeat, and then asked. */
const listenMs = limits.rpc.heartbeatTimeoutS * 1_000;

/** The nodes that are on the bus, with their releases, as a person's console hears them. Consoles are left out. */
export function nodesOnBus(as: string | undefined): Promise<NodeRelease[]> {
  return fromConsole({ as, services: [] }, async (broker) => {
    await pause(listenMs);
    return releasesOnBus(broker).filter(({ nodeId }) => roleOfNode(nodeId) !== "console");
  });
}

/**
 * Why contracts must not be applied while these nodes run; `undefined` where they may. Where no node is seen, nothing is
 * known of those that run. Pure.
 */
export function whyNotContract(
  contracts: readonly Pick<Migration, "name" | "needs">[],
  nodes: readonly NodeRelease[],
): string | undefined {
  if (contracts.length === 0) return undefined;
  if (nodes.length === 0)
    return "No node is on the bus, so nothing is known of those that run: nothing was applied. --stopped says that none runs.";
  const lines = contracts.flatMap(({ name, needs }) => {
    const older = nodes.filter(({ release }) => release < needs);
    return older.map(({ nodeId, release }) => `  ${name} needs release ${needs}: ${nodeId} is of release ${release}`);
  });
  if (lines.length === 0) return undefined;
  return `Nodes of earlier releases need what would be removed. Nothing was applied:\n${lines.join("\n")}`;
}
