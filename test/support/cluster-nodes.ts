import { join } from "node:path";
import { projectRoot } from "../../config/root.ts";
import { type Child, startChild } from "../../scripts/children.ts";

interface NodeOfCluster {
  label: string;
  pid: number;
  ports: Record<string, number>;
}

/** The nodes of the cluster under test, as scripts/cluster.ts started them; none where it runs otherwise. */
export const clusterNodes = (): NodeOfCluster[] => JSON.parse(process.env.CLUSTER_NODES ?? "[]") as NodeOfCluster[];

/** A node by its label, e.g. `wallet-1`. */
export function nodeOf(label: string): NodeOfCluster {
  const found = clusterNodes().find((node) => node.label === label);
  if (!found) throw new Error(`the cluster has no node ${label}`);
  return found;
}

/** Ends a node as a crash would, or stops and continues it; only ever a process that the cluster said to be its own. */
export function signalNode(label: string, signal: "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT"): void {
  process.kill(nodeOf(label).pid, signal);
}

/** Starts one more node, on the servers of the system under test. The caller stops it. `env`: settings of its own. */
export function startExtraNode(service: string, label: string, env: Record<string, string | undefined> = {}): Child {
  return startChild({
    name: label,
    command: process.execPath,
    args: [join(projectRoot(), "scripts/node.ts"), service],
    cwd: projectRoot(),
    // MYSQL_URL of the tests is the administrator's: the node uses its service's own login, from the stack's folder.
    env: { NODE_LABEL: label, LOG_LEVEL: "error", MYSQL_URL: undefined, ...env },
    output: { prefix: `${label}|` },
    ready: /^ready (\{.*\})$/,
  });
}
