/**
 * Whole milliseconds since the process began. It never runs backwards, and its numbers are small: V8 keeps those inside
 * the objects that hold them, where a `Date.now()` takes 16 bytes of its own for each field of each connection.
 */
export function nowMs(): number {
  return Math.floor(performance.now());
}
