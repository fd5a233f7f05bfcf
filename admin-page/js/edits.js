/** An edit of a row: only what differs is sent, and what undoes it is known beforehand. */

/**
 * @param {Record<string, unknown>} before the row
 * @param {Record<string, unknown>} after what was filled in; undefined: that field was not asked for
 * @returns {{set: Record<string, unknown>, undo: Record<string, unknown>, names: string[]}} `names` of what differs
 */
export function editOf(before, after) {
  const names = Object.keys(after).filter((name) => after[name] !== undefined && !same(before[name], after[name]));
  const pick = (row) => Object.fromEntries(names.map((name) => [name, row[name]]));
  return { set: pick(after), undo: pick(before), names };
}

/** Lists are the same where they have the same entries, in whatever order. */
function same(a, b) {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((entry) => b.includes(entry));
}
