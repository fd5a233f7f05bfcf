/** The work lists, their counts in `figures`, and the right that their actions need. The most urgent first. */
export const workLists = Object.freeze([
  { name: "parked", path: "parked", right: "parked", title: "workParked", why: "workParkedWhy" },
  { name: "openProposals", path: "proposals", right: "decide", title: "workProposals", why: "workProposalsWhy" },
  {
    name: "deadLetters",
    path: "dead-letters",
    right: "deadLetters",
    title: "workDeadLetters",
    why: "workDeadLettersWhy",
  },
  { name: "differences", path: "reconciliation", right: "parked", title: "workDifferences", why: "workDifferencesWhy" },
  { name: "findings", path: "books", right: "books", title: "workBooks", why: "workBooksWhy" },
]);

/**
 * The lists that a person may work on, and those that they may only read, each with its count: `null` where the service
 * that knows did not answer, which is not 0.
 * @param {readonly string[]} rights
 * @param {Record<string, number | null | undefined>} counts by the lists' names
 */
export function workFor(rights, counts) {
  const all = workLists.map((list) => ({ ...list, count: counts[list.name] ?? null }));
  return {
    mine: all.filter(({ right }) => rights.includes(right)),
    others: all.filter(({ right }) => !rights.includes(right)),
  };
}

/** Whether everything of these lists is known to be empty. */
export function allDone(lists) {
  return lists.every(({ count }) => count === 0);
}
