import { stdSerializers } from "pino";

/**
 * Fields that the clients of MySQL and Redis add to their errors: the statement with its values, the command with its arguments.
 * Login codes and phones are among them, and a statement of a full batch is hundreds of kilobytes.
 */
const withValues = ["sql", "parameters", "command", "lastNodeError"];

/** Deeper than any chain of causes in this system. */
const depthMax = 10;

function without(shown: unknown, depth = 0): void {
  if (typeof shown !== "object" || shown === null || depth > depthMax) return;
  const fields = shown as Record<string, unknown>;
  for (const name of withValues) delete fields[name];
  // The error's `cause` is written out in it.
  for (const inner of [fields.original, fields.parent, ...listOf(fields.aggregateErrors)]) without(inner, depth + 1);
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** An error for the log: text, codes and stack, without the values that were sent. */
export function loggedError(error: Error): object {
  const shown = stdSerializers.err(error);
  without(shown);
  return shown;
}
