import { closeCodes } from "../im-frames.ts";
import type { Connection, ProbeLimits } from "./connection.ts";

interface SweepLimits extends ProbeLimits {
  readonly heartbeatTimeoutMs: number;
}

/**
 * Closes the connections whose client or line is dead, in one pass over all of them instead of a timer each. A node that
 * was itself paused (stopped, suspended, busy) cannot know who sent nothing meanwhile, since what clients sent is still
 * to be read: then every connection's time starts again.
 */
export class LivenessSweep {
  private readonly bounds: SweepLimits;
  private readonly pausedMs: number;
  private sweptAt: number;

  /** `everyMs` is how often `sweep` is going to be called. */
  constructor(bounds: SweepLimits, everyMs: number, now: number) {
    this.bounds = bounds;
    this.pausedMs = everyMs + Math.min(bounds.pongTimeoutMs, bounds.heartbeatTimeoutMs) / 2;
    this.sweptAt = now;
  }

  /** Closes the dead ones. True where the node was paused and no connection is judged. */
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
