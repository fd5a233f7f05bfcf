export const serversLimits = Object.freeze({
  /** The most servers that one URL names, and its longest text. */
  inOneUrl: 16,
  urlChars: 4_096,
});
