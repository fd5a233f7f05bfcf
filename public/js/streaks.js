/** How far the streaks of gifts have come, from `combo {id, count}` of the gifts shown; imports nothing. */
const REMEMBERED = 500;

export function createStreaks() {
  const counts = new Map(); // streak → pieces so far; the oldest are forgotten first

  /** The pieces of the gift's streak so far: frames may be late, the count never falls. `undefined` without a streak. */
  return function reach({ combo }) {
    if (typeof combo?.id !== "string" || !(combo.count > 0)) return undefined;
    const count = Math.max(combo.count, counts.get(combo.id) ?? 0);
    counts.delete(combo.id);
    counts.set(combo.id, count);
    if (counts.size > REMEMBERED) counts.delete(counts.keys().next().value);
    return count;
  };
}
