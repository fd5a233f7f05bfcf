import type { Service } from "moleculer";
import { limits } from "../config/limits.ts";
import { BackgroundLoop } from "./background-loop.ts";

/** A number of GET /metrics that is read from a database, e.g. how many rows wait. */
export interface Gauge {
  readonly name: string;
  readonly description: string;
  readonly unit?: string;
  /** Besides `service`. */
  readonly labelNames?: readonly string[];
}

export interface Reading {
  readonly name: string;
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Reads a service's gauges every few seconds, until the loop is stopped. Every node of the service does, so what they
 * say of the same database is the same: of several nodes one takes the largest, not the sum. What `read` asks must cost
 * little however much there is, e.g. by counting no further than `limits.metrics.countedRows`.
 */
export function keepGauges(
  service: Service,
  gauges: readonly Gauge[],
  read: () => Promise<readonly Reading[]>,
): BackgroundLoop {
  const { metrics } = service.broker;
  for (const { labelNames = [], ...gauge } of gauges)
    metrics.register({ type: "gauge", ...gauge, labelNames: ["service", ...labelNames] });
  return new BackgroundLoop({
    name: `${service.name}-gauges`,
    round: async () => {
      for (const { name, value, labels } of await read())
        metrics.set(name, value, { service: service.name, ...labels });
      return false;
    },
    idleMs: limits.metrics.readEveryMs,
    errorBackoffMs: limits.metrics.readEveryMs,
    log: service.logger,
  });
}
