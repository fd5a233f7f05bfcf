/** Columns of user ids are BIGINT UNSIGNED. */
const largest = String(2n ** 64n - 1n);

/** Ids of as many digits that are smaller from one of them on. */
const smaller = [...largest].flatMap((digit, at) => {
  const lowest = at === 0 ? 1 : 0;
  if (Number(digit) <= lowest) return [];
  return `${largest.slice(0, at)}[${lowest}-${Number(digit) - 1}]\\d{${largest.length - at - 1}}`;
});

/**
 * A user id: a decimal string from 1 to 2^64 − 1. What does not fit a column must not come so far: in a batch it would
 * hold up the others.
 */
export const userIdPattern = new RegExp(`^(?:[1-9]\\d{0,${largest.length - 2}}|${[...smaller, largest].join("|")})$`);
