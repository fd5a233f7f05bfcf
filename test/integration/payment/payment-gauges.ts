import type { BackgroundLoop } from "../../../mixins/background-loop.ts";
import { eventually } from "../../support/system.ts";
import type { ProviderNodes } from "./provider-nodes.ts";

interface Metric {
  name: string;
  values: { value: number; labels: Record<string, string> }[];
}

/** A gauge of a payment node, read again at this call. */
export async function gaugeOf(
  nodes: ProviderNodes,
  node: 0 | 1,
  name: string,
  labels: Record<string, string> = {},
): Promise<number | undefined> {
  const service = nodes.payments[node] as (typeof nodes.payments)[0] & { outboxGauges?: BackgroundLoop };
  for (const loop of [service.gauges, service.outboxGauges]) loop?.wake();
  const { nodeID } = service.broker;
  const all = await nodes.gateway.call<Metric[], object>("$node.metrics", { includes: ["ovation.**"] }, { nodeID });
  const wanted = Object.entries({ service: "payment", ...labels });
  const found = all
    .find((metric) => metric.name === name)
    ?.values.find((one) => wanted.every(([label, value]) => one.labels[label] === value));
  return found?.value;
}

/** Waits until both nodes have this value. */
export async function expectGauges(
  nodes: ProviderNodes,
  name: string,
  value: number,
  labels: Record<string, string> = {},
): Promise<void> {
  for (const node of [0, 1] as const)
    await eventually(`${name} is ${value}`, async () => (await gaugeOf(nodes, node, name, labels)) === value, 30_000);
}
