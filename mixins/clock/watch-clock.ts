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

/** Of each node and kind of clock the watches that find it wrong: its services share the line in the log. */
const wrong = new WeakMap<ServiceBroker, Map<Clock, Set<object>>>();

function wrongOf(broker: ServiceBroker, clock: Clock): Set<object> {
  const ofNode = wrong.get(broker) ?? new Map<Clock, Set<object>>();
  const ofClock = ofNode.get(clock) ?? new Set();
  wrong.set(broker, ofNode.set(clock, ofClock));
  return ofClock;
}

/** The first watch of a node that finds a clock wrong says so, and the last one that finds it right again. */
function report({ broker, logger }: Service, clock: Clock, watch: object, skew: Skew): void {
  const found = wrongOf(broker, clock);
  const { reportedMs } = limits.clock;
  const about = { clock, server: skew.server, skewMs: Math.round(skew.ms), uncertainMs: Math.round(skew.uncertainMs) };
  if (isBeyond(skew, reportedMs)) {
    if (found.size === 0)
      logger.error(
        about,
        "a server's clock and this node's differ: times of gifts, battles and logins will not fit. Look at NTP on both machines",
      );
    found.add(watch);
  } else if (Math.abs(skew.ms) + skew.uncertainMs <= reportedMs && found.delete(watch) && found.size === 0)
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
  const watch = {};
  return new BackgroundLoop({
    name: `${service.name}-clock-${clock}`,
    round: async () => {
      // A first question may open a connection before it is sent: its answer says too little, that to the next one does not.
      const skew = (await usable(read)) ?? (await usable(read));
      if (!skew) return false;
      metrics.set(gauge.name, skew.ms / 1_000, { service: service.name, clock });
      report(service, clock, watch, skew);
      return false;
    },
    idleMs: limits.clock.everyMs,
    errorBackoffMs: limits.clock.everyMs,
    log: service.logger,
  });
}

/** The reading that is furthest away, of those that are certain enough; none while the server is away. */
async function usable(read: () => Promise<readonly Skew[]>): Promise<Skew | undefined> {
  try {
    return furthest((await read()).filter(({ uncertainMs }) => uncertainMs <= limits.clock.answerMs / 2));
  } catch (error) {
    if (isUnavailable(error)) return undefined;
    throw error;
  }
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
