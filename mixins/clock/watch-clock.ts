import type { Service, ServiceBroker } from "moleculer";
import type { JetStreamManager, NatsConnection } from "nats";
import { isUnavailable } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../background-loop.ts";
import { streamClocks } from "./read-clock.ts";
import { furthest, isBeyond, type Skew } from "./skew.ts";

/** The kinds of servers whose clocks a node watches. */
export type Clock = "mysql" | "nats" | "redis";

const gauge = {
  name: "ovation.clock.skew.seconds",
  description: "A server's clock less the node's own",
  unit: "second",
  labelNames: ["service", "clock"],
} as const;

/** The clocks that a node has reported as wrong: its services share the line in the log. */
const reported = new WeakMap<ServiceBroker, Set<string>>();

function report({ broker, logger }: Service, clock: Clock, skew: Skew): void {
  const known = reported.get(broker) ?? new Set();
  reported.set(broker, known);
  const { reportedMs } = limits.clock;
  const about = { clock, server: skew.server, skewMs: Math.round(skew.ms), uncertainMs: Math.round(skew.uncertainMs) };
  if (isBeyond(skew, reportedMs) && !known.has(clock)) {
    known.add(clock);
    logger.error(
      about,
      "a server's clock and this node's differ: times of gifts, battles and logins will not fit. Look at NTP on both machines",
    );
  } else if (Math.abs(skew.ms) + skew.uncertainMs <= reportedMs && known.delete(clock))
    logger.info(about, "the clocks of server and node agree again");
}

/**
 * Reads a server's clock every `limits.clock.everyMs` into the gauge `ovation.clock.skew.seconds`, and reports a
 * difference once a node, until it is over. Of several servers the one that is furthest away counts. Stop it before the
 * connection is closed. That the server is away is the health check's business: the gauge keeps its last value then.
 */
export function watchClock(service: Service, clock: Clock, read: () => Promise<readonly Skew[]>): BackgroundLoop {
  const { metrics } = service.broker;
  metrics.register({ type: "gauge", ...gauge, labelNames: [...gauge.labelNames] });
  return new BackgroundLoop({
    name: `${service.name}-clock-${clock}`,
    round: async () => {
      const readings = await read().catch((error: unknown): Skew[] => {
        if (isUnavailable(error)) return [];
        throw error;
      });
      const skew = furthest(readings.filter(({ uncertainMs }) => uncertainMs <= limits.clock.answerMs / 2));
      if (!skew) return false;
      metrics.set(gauge.name, skew.ms / 1_000, { service: service.name, clock });
      report(service, clock, skew);
      return false;
    },
    idleMs: limits.clock.everyMs,
    errorBackoffMs: limits.clock.everyMs,
    log: service.logger,
  });
}

/** Watches the clocks of the servers that lead these streams, until the connection is closed. */
export function watchStreamClocks(
  service: Service,
  { connection, manager }: { connection: NatsConnection; manager: JetStreamManager },
  names: readonly string[],
): void {
  const loop = watchClock(service, "nats", () => streamClocks(manager, names));
  void connection.closed().then(() => loop.stop());
}
