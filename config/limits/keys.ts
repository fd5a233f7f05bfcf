/** Of each setting with symmetric keys. */
export const keysLimits = Object.freeze({ most: 8, minBytes: 32, maxBytes: 256 });
