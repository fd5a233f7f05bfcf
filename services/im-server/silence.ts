import { closeCodes } from "../im-frames.ts";
import type { Connection } from "./connection.ts";

export interface SilenceBounds {
  silenceMs: number;
  pingAfterMs: number;
  pongMs: number;
}

/**
 * Finds connections of which nothing is heard, in one look at all of them instead of a timer for each. A node that was
 * itself held up (stopped, suspended, busy) cannot say who was silent meanwhile: what they said is still to be read, so
 * everybody starts anew.
 */
export class SilenceSweep {
  private readonly bounds: SilenceBounds;
  private readonly heldUpMs: number;
  private sweptAt: number;

  /** `everyMs` is how often `sweep` is going to be called. */
  constructor(bounds: SilenceBounds, everyMs: number, now: number) {
    this.bounds = bounds;
    this.heldUpMs = everyMs + Math.min(bounds.pongMs, bounds.silenceMs) / 2;
    this.sweptAt = now;
  }

  /** Closes the silent ones. True where the node was held up and nobody is judged. */
  sweep(connections: Iterable<Connection>, now: number): boolean {
    const heldUp = now - this.sweptAt > this.heldUpMs;
    this.sweptAt = now;
    for (const connection of connections) {
      if (heldUp) connection.heardAt = now;
      else if (now - connection.heardAt > this.bounds.silenceMs)
        connection.close(closeCodes.silent, "silent for too long");
      else if (!connection.probe(now, this.bounds)) connection.close(closeCodes.silent, "no answer to a ping");
    }
    return heldUp;
  }
}
