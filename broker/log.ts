/**
 * What a module needs of a logger: first what it is about (ids, the error as `err`), then what failed and what happens
 * next. A service's `logger` is one.
 */
export type Log = Record<"info" | "warn" | "error", (about: object, text: string) => void>;
