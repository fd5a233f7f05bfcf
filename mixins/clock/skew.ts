/** How far a server's clock is from this node's. Pure. */

export interface Skew {
  /** Which server answered, where one asks several. */
  readonly server: string;
  /** The server's time less the node's; negative where the server is behind. */
  readonly ms: number;
  /** The reading may be wrong by so much to either side. */
  readonly uncertainMs: number;
}

/** A question for a server's time. */
export interface Asked {
  /** The node's time of day when it asked, ms since 1970. */
  readonly at: number;
  /** How long the answer took, ms, by a clock that nobody sets. */
  readonly tookMs: number;
}

/** The server read its clock somewhere between question and answer: the middle is wrong by half of that at the most. */
export function skewOf(server: string, serverMs: number, { at, tookMs }: Asked): Skew {
  return { server, ms: serverMs - (at + tookMs / 2), uncertainMs: tookMs / 2 };
}

/** Whether it is certain that the clocks are further apart than this. */
export function isBeyond({ ms, uncertainMs }: Pick<Skew, "ms" | "uncertainMs">, boundMs: number): boolean {
  return Math.abs(ms) - uncertainMs > boundMs;
}

/** The most certain of several readings of one clock. */
export function surest(readings: readonly Skew[]): Skew | undefined {
  return readings.toSorted((one, other) => one.uncertainMs - other.uncertainMs)[0];
}

/** The reading that is furthest away, `undefined` of none. */
export function furthest(readings: readonly Skew[]): Skew | undefined {
  return readings.toSorted((one, other) => Math.abs(other.ms) - Math.abs(one.ms))[0];
}
