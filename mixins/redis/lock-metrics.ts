import type { Service } from "moleculer";
import { type Count, countSeries } from "../../broker/metric-series.ts";

/** Since the start of the node. */
export interface LockCounters {
  acquired: number;
  contended: number;
  /** Requests, each for any number of locks, that went on without Redis. */
  degraded: number;
  /** Locks that a renewal no longer found: their TTL expired, or Redis lost them. */
  lost: number;
}

const lockMetrics = {
  keys: {
    name: "ovation.lock.keys",
    description: "Locks that were acquired, contended or lost, and requests that were degraded: without Redis",
  },
  held: { name: "ovation.lock.held", description: "Locks that this node holds in Redis" },
  breaker: {
    name: "ovation.lock.breaker",
    description: "The circuit breaker of the locks: 0 Redis is asked, 1 it is not, and the database decides alone",
  },
} as const;

/** Counts the locks of a service in the metrics, beside `LockCounters`. */
export class LockMetrics {
  readonly count: Readonly<Record<keyof LockCounters, Count>>;
  readonly held: Count;
  private readonly service: Service;

  constructor(service: Service) {
    this.service = service;
    const { broker, name } = service;
    broker.metrics.register({ type: "counter", ...lockMetrics.keys, labelNames: ["service", "outcome"] });
    for (const gauge of [lockMetrics.held, lockMetrics.breaker])
      broker.metrics.register({ type: "gauge", ...gauge, labelNames: ["service"] });
    const of = (outcome: keyof LockCounters) => countSeries(broker, lockMetrics.keys.name, { service: name, outcome });
    this.count = {
      ...{ acquired: of("acquired"), contended: of("contended"), degraded: of("degraded"), lost: of("lost") },
    };
    this.held = countSeries(broker, lockMetrics.held.name, { service: name });
    this.breaker(false);
  }

  breaker(isOpen: boolean): void {
    this.service.broker.metrics.set(lockMetrics.breaker.name, isOpen ? 1 : 0, { service: this.service.name });
  }
}
