import { Errors } from "moleculer";
import { type FailureName, failures, isFailureName } from "../config/errors.ts";

/**
 * A failure of the table in config/errors.ts as an error that survives the way between nodes: a plain
 * MoleculerClientError (subclasses arrive as bare errors) with the failure's name as `type`. Test it with `isFailure`.
 * `data` is for logs and callers inside; it is never shown outside.
 */
export function fail(name: FailureName, data: Record<string, unknown> = {}): Error {
  const row = failures[name];
  if (name === "unavailable") return new Errors.MoleculerRetryableError(row.en, row.http, name, data);
  return new Errors.MoleculerClientError(row.en, row.http, name, data);
}

/** The failure that an error of this or another node stands for, `undefined` where it is none of the table. */
export function failureName(error: unknown): FailureName | undefined {
  const type = (error as { type?: unknown } | null)?.type;
  return isFailureName(type) ? type : undefined;
}

export function isFailure(error: unknown, name: FailureName): boolean {
  return failureName(error) === name;
}

/** Moleculer's own errors that say "nobody there to answer now", as they arrive from this or another node. */
const nobodyThere = new Set([
  "SERVICE_NOT_FOUND",
  "SERVICE_NOT_AVAILABLE",
  "REQUEST_TIMEOUT",
  "REQUEST_REJECTED",
  "QUEUE_FULL",
]);

/**
 * Whether trying again later may help: a dependency or a service is away, or did not answer in time. The call may have
 * happened all the same, so only what is idempotent by a business id may be tried again.
 */
export function isUnavailable(error: unknown): boolean {
  return isFailure(error, "unavailable") || nobodyThere.has(String((error as { type?: unknown } | null)?.type));
}
