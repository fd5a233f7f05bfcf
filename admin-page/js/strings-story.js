/** Texts of an order's story, proposals and money. */
export const storyStrings = Object.freeze({});
