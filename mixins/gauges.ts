import type { Service } from "moleculer";
import { limits } from "../config/limits.ts";
import { BackgroundLoop } from "./background-loop.ts";

/** A gauge of GET /metrics that is read from a database, e.g. the number of waiting rows. */
export interface Gauge {
  readonly name: string;
  readonly description: string;
  readonly unit?: string;
  /** In addition to `service`. */
  readonly labelNames?: readonly string[];
}

export interface Reading {
  readonly name: string;
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Reads a service's gauges every few seconds, until the loop is stopped. Every node of the service does so, and all
 * report the same values of the same database: take the maximum over nodes, not the sum. The queries of `read` must be
 * cheap for any number of rows, e.g. by counting up to `limits.metrics.countedRows`.
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
