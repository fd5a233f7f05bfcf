/** Holds of free income as an anchor's postings show them: the business id of a posting has the hold's id in it. */

const HELD = "free-hold:";
const RELEASED = "free-release:";

/** The longest business id of a hold whose own id is this long. */
export function longestHoldId(idChars) {
  return HELD.length + idChars;
}

/** The hold's own id of what a person copied: that, or the business id of its posting. */
export function holdIdOf(text) {
  return text.startsWith(HELD) ? text.slice(HELD.length) : text;
}

/**
 * Of postings that come newest first: answers of each with the id of the hold that may be released there, or with
 * undefined. A release stands before its hold.
 */
export function openHolds() {
  const released = new Set();
  return ({ bizId = "", status }) => {
    if (bizId.startsWith(RELEASED)) released.add(bizId.slice(RELEASED.length));
    if (!bizId.startsWith(HELD) || Number(status) === 0) return undefined;
    const holdId = holdIdOf(bizId);
    return released.has(holdId) ? undefined : holdId;
  };
}
