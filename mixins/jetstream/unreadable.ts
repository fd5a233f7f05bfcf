/**
 * Of a handler that reads its messages itself: the message can never be handled, however often it is tried. Thrown for a
 * message alone it makes a dead letter of it at once, like an error of `parse`.
 */
export class Unreadable extends Error {}
