import type { ServiceBroker } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { type Metric, metricsText, type NodeMetrics } from "./metrics-text.ts";

/** Excluded: metrics of the machine and its user, and those with an unbounded set of label values. */
const excludes = ["os.datetime.**", "os.user.**", "os.network.**", "process.arguments", "moleculer.node.**"];

/** Metrics of this process under their standard names, which dashboards for Node expect. */
function processMetrics(): Metric[] {
  const { user, system } = process.cpuUsage();
  const one = (type: string, name: string, description: string, value: number): Metric => {
    return { type, name, description, values: [{ labels: {}, value }] };
  };
  const startedAtS = Date.now() / 1_000 - process.uptime();
  return [
    one("counter", "process_cpu_seconds_total", "CPU time of the gateway's process", (user + system) / 1e6),
    one(
      "gauge",
      "process_resident_memory_bytes",
      "Resident memory of the gateway's process",
      process.memoryUsage.rss(),
    ),
    one("gauge", "process_start_time_seconds", "When the gateway's process started, Unix time", startedAtS),
  ];
}

/** The metrics of every live node, each queried once. A node that does not answer in time is reported as down. */
export async function collectMetrics(broker: ServiceBroker): Promise<string> {
  const nodes = broker.registry.getNodeList({ onlyAvailable: true }) as unknown as { id: string }[];
  const timeout = limits.http.metricsNodeTimeoutMs;
  const all = await Promise.all(
    nodes.map(async ({ id }): Promise<NodeMetrics> => {
      const up = (value: number): Metric => {
        const description = "1 where the node answered the request for its metrics, else 0";
        return { type: "gauge", name: "ovation_node_up", description, values: [{ value }] };
      };
      try {
        const metrics = await broker.call<Metric[], object>("$node.metrics", { excludes }, { nodeID: id, timeout });
        return { node: id, metrics: [up(1), ...metrics] };
      } catch (error) {
        broker.logger.warn({ node: id, err: error }, "a node's metrics are missing from this scrape");
        return { node: id, metrics: [up(0)] };
      }
    }),
  );
  return metricsText([...all, { node: broker.nodeID, metrics: processMetrics() }]);
}
