/** How many at a time are let go, and how long it is from one portion to the next. */
export interface DrainPlan {
  portion: number;
  pauseMs: number;
}

const portionsMax = 50;

/**
 * Lets `connections` go within `drainMs`, in portions of at least `leastPortion`: few are gone at once, many are spread
 * over the whole time, so that the other nodes are not stormed. Pure.
 */
export function drainPlan(connections: number, leastPortion: number, drainMs: number): DrainPlan {
  const portion = Math.max(leastPortion, Math.ceil(connections / portionsMax));
  const portions = Math.max(1, Math.ceil(connections / portion));
  return { portion, pauseMs: drainMs / portions };
}
