import { closeCodes } from "../im-frames.ts";
import type { Connection, ProbeLimits } from "./connection.ts";

interface SweepLimits extends ProbeLimits {
  readonly heartbeatTimeoutMs: number;
}

/**
 * Closes dead connections, in one pass over all of them instead of a timer for each. A node that was itself paused
 * (stopped, suspended, busy) has not read yet what clients sent meanwhile. Then the time of every connection starts
 * again.
 */
export class LivenessSweep {
  private readonly bounds: SweepLimits;
  private readonly pausedMs: number;
  private sweptAt: number;

  /** `everyMs` is the interval at which `sweep` is called. */
  constructor(bounds: SweepLimits, everyMs: number, now: number) {
    this.bounds = bounds;
    this.pausedMs = everyMs + Math.min(bounds.pongTimeoutMs, bounds.heartbeatTimeoutMs) / 2;
    this.sweptAt = now;
  }

  /** Closes the dead ones. Returns true where the node was paused and no connection was closed. */
  sweep(connections: Iterable<Connection>, now: number): boolean {
    const paused = now - this.sweptAt > this.pausedMs;
    this.sweptAt = now;
    for (const connection of connections) {
      if (paused) connection.receivedAt = now;
      else if (now - connection.receivedAt > this.bounds.heartbeatTimeoutMs)
        connection.close(closeCodes.heartbeatTimeout, "no heartbeat for too long");
      else if (!connection.probe(now, this.bounds))
        connection.close(closeCodes.heartbeatTimeout, "no answer to a ping");
    }
    return paused;
  }
}
