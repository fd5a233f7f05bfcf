/** Figures of services that did not answer are 0 in the answer; here they are `null`, unknown. */

/** What each service knows. */
const counts = Object.freeze({
  payment: ["parked", "differences"],
  provisioner: ["deadLetters"],
  auditor: ["findings"],
  staff: ["openProposals"],
  platform: ["openProposals"],
  "living-room": ["rooms"],
  "im-server": ["connections"],
});

const perMinute = Object.freeze({ gift: ["gifts", "coins"], payment: ["paidOrders", "chargedCoins"] });

const nothing = Object.freeze({ gifts: null, oldestMs: null, partitions: [] });

/** @param {{missing?: readonly string[]}} figures as the server answers; `missing` are the services without an answer */
export function knownFigures(figures) {
  const missing = figures.missing ?? [];
  const rows = unknown(perMinute, missing);
  return {
    ...figures,
    ...unknown(counts, missing),
    queue: missing.includes("gift") ? nothing : figures.queue,
    perMinute: figures.perMinute.map((row) => ({ ...row, ...rows })),
  };
}

function unknown(table, missing) {
  return Object.fromEntries(missing.flatMap((service) => table[service] ?? []).map((name) => [name, null]));
}
