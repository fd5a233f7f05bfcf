/**
 * The logger that a module needs. First come the fields (ids, the error as `err`), then the text: what failed and what
 * happens next. A service's `logger` is one.
 */
export type Log = Record<"info" | "warn" | "error", (about: object, text: string) => void>;
