import { Errors } from "moleculer";
import { type FailureName, failures, isFailureName } from "../config/errors.ts";
import { limits } from "../config/limits.ts";
import { isNobodyThere, isOutage } from "./outages.ts";

/**
 * A failure of the table in config/errors.ts, as an error that keeps its meaning across nodes: a plain
 * MoleculerClientError (subclasses arrive as bare errors) with the failure's name as `type`. Test it with `isFailure`.
 * `data` is for logs and internal callers; clients never get it. `mayHaveHappened()` below reads the field of that name
 * in the data of an `unavailable`.
 */
export function fail(name: FailureName, data: Record<string, unknown> = {}): Error {
  const row = failures[name];
  if (name === "unavailable") return new Errors.MoleculerRetryableError(row.en, row.http, name, data);
  return new Errors.MoleculerClientError(row.en, row.http, name, data);
}

/**
 * `unavailable` for an error of a driver. The driver's code and message are in the failure's data, which crosses nodes;
 * the error itself is its `cause`, for the log of this node.
 */
export function outage(error: unknown, about: Record<string, unknown>): Error {
  const { code, errno, message } = (error ?? {}) as { code?: unknown; errno?: unknown; message?: unknown };
  const text = [code, message].filter((part) => typeof part === "string" && part !== "").join(": ");
  const cause = text.slice(0, limits.log.causeChars);
  return Object.assign(fail("unavailable", { ...about, cause, errno }), { cause: error });
}

/** The failure of an error of this or another node; `undefined` where it is not in the table. */
export function failureName(error: unknown): FailureName | undefined {
  const type = (error as { type?: unknown } | null)?.type;
  return isFailureName(type) ? type : undefined;
}

export function isFailure(error: unknown, name: FailureName): boolean {
  return failureName(error) === name;
}

/**
 * Whether a later try may succeed: a dependency or a service is away, or did not answer in time. The call may have been
 * carried out, so only a call that is idempotent by a business id may be retried.
 */
export function isUnavailable(error: unknown): boolean {
  const name = failureName(error);
  if (name !== undefined) return name === "unavailable";
  return isNobodyThere(error) || isOutage(error);
}

/** Moleculer's errors of a call for which there is no node, or whose node does not have the action (any more). */
const notThere = new Set<unknown>(["SERVICE_NOT_FOUND", "SERVICE_NOT_AVAILABLE"]);

/** Whether a call reached no node that has its action: it was certainly not carried out, and another node may be asked. */
export function reachedNobody(error: unknown): boolean {
  return notThere.has((error as { type?: unknown } | null)?.type);
}

/** Whether the node of a call went away before it answered: the call may have been carried out. */
export function leftUnanswered(error: unknown): boolean {
  return (error as { type?: unknown } | null)?.type === "REQUEST_REJECTED";
}

/** Moleculer's errors of a call that was sent and not answered: within its time, or before its node left. */
const notAnswered = new Set<unknown>(["REQUEST_TIMEOUT", "REQUEST_REJECTED"]);

/**
 * Whether a failed call may have been carried out: it was sent, and no refusal came back. An `unavailable` has it in
 * its data. False must be certain: an action whose callers rely on it converts time-outs of its own queries into a
 * plain `unavailable`.
 */
export function mayHaveHappened(error: unknown): boolean {
  const { type, data } = (error ?? {}) as { type?: unknown; data?: { mayHaveHappened?: unknown } };
  if (isFailure(error, "unavailable")) return data?.mayHaveHappened === true;
  return notAnswered.has(type);
}
