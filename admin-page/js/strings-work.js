/** Texts of the work lists, the catalogue, the figures, keys, webhooks, the audit and the persons. */
export const workStrings = Object.freeze({});
