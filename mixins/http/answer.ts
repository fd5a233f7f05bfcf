import type { ServerResponse } from "node:http";
import { fail, failureName, isUnavailable } from "../../broker/failure.ts";
import { shown } from "../../broker/unknown-values.ts";
import { type FailureName, failures } from "../../config/errors.ts";
import { limits } from "../../config/limits.ts";
import type { RequestContext } from "./request-context.ts";
import { successCode, successText } from "./wording.ts";

/** By HTTP status, what clients see for a failure whose name only a later release knows. */
const ofLaterRelease: Readonly<Record<number, FailureName>> = {
  200: "business",
  400: "badRequest",
  401: "notLoggedIn",
  403: "notAllowed",
  429: "tooMany",
};

/** A refusal of a node of a later release: it has the form of a failure (broker/failure.ts), and a name unknown here. */
function laterFailure(error: unknown): FailureName | undefined {
  const { name, type, code } = (error ?? {}) as { name?: unknown; type?: unknown; code?: unknown };
  const isFailure = name === "MoleculerClientError" && typeof type === "string" && /^[a-z][A-Za-z]{1,60}$/.test(type);
  return isFailure ? ofLaterRelease[Number(code)] : undefined;
}

/** The failure that clients see for an error. An error that is no failure is `internal`, without any detail. */
export function shownAs(error: unknown): FailureName {
  const name = failureName(error);
  if (name !== undefined) return name;
  return isUnavailable(error) ? "unavailable" : (laterFailure(error) ?? "internal");
}

/**
 * The action whose schema refused the gateway's call, and the field; `undefined` for any other failure. The gateway
 * checks fields by the same schema, so the cause is a gap in it, or a service of another release.
 */
export function refusalOf(error: unknown): { action: string; field: string } | undefined {
  const { data } = (error ?? {}) as { data?: { refusedBy?: unknown; field?: unknown } };
  return typeof data?.refusedBy === "string" ? { action: shown(data.refusedBy), field: shown(data.field) } : undefined;
}

/**
 * The `data` that a failure shows to clients. It is stored beside the error in this process, so no service can set it.
 */
const shownData = new WeakMap<Error, Record<string, unknown>>();

/** The error, whose envelope has `data` from now on. */
export function showing(error: Error, data: Record<string, unknown>): Error {
  shownData.set(error, data);
  return error;
}

/** A failure whose envelope has `data`: no other failure has any. */
export function failShowing(name: FailureName, data: Record<string, unknown>): Error {
  return showing(fail(name), data);
}

/** The `data` that a failure shows to clients, `undefined` where there is none. */
export function shownOf(error: unknown): Record<string, unknown> | undefined {
  return shownData.get(error as Error);
}

/** The text of a failure: the platform's own, where its gate refused a gift and gave one. */
function textOf(name: FailureName, error: unknown, { language }: RequestContext): string {
  const own = name === "giftGated" ? shownOf(error)?.msg : undefined;
  return typeof own === "string" ? own : failures[name][language];
}

/** The seconds after which a retry makes sense; `undefined` where time does not help. */
function retryAfterSeconds(name: FailureName, error: unknown): number | undefined {
  const { http } = failures[name];
  if (http === 503) return limits.http.retryAfterSeconds;
  if (http !== 429) return undefined;
  const waitMs = (error as { data?: { waitMs?: unknown } }).data?.waitMs;
  return typeof waitMs === "number" && waitMs > 0 ? Math.ceil(waitMs / 1_000) : limits.http.retryAfterSeconds;
}

/** The header that names a refusal: several failures have one code. */
export const failureHeader = "X-Failure";

function sendEnvelope(
  response: ServerResponse,
  context: RequestContext,
  status: number,
  code: number,
  msg: string,
  data: unknown,
) {
  context.code = code;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const text = JSON.stringify({ code, msg, data: data ?? null });
  // All headers in one list, names and values in turn: Node writes it faster than headers that are set one by one.
  response.writeHead(status, [
    ...["X-Request-Id", context.requestId, "X-Content-Type-Options", "nosniff"],
    ...["Content-Type", "application/json; charset=utf-8", "Content-Length", String(Buffer.byteLength(text))],
    ...["Cache-Control", "no-store"],
  ]);
  response.end(text);
}

export function sendSuccess(response: ServerResponse, context: RequestContext, data: unknown): void {
  sendEnvelope(response, context, 200, successCode, successText[context.language], data);
}

/** Answers with the envelope of the error's failure, and returns that failure's name. */
export function sendFailure(response: ServerResponse, context: RequestContext, error: unknown): FailureName {
  const name = shownAs(error);
  const row = failures[name];
  const seconds = retryAfterSeconds(name, error);
  if (!response.headersSent) {
    if (seconds !== undefined) response.setHeader("Retry-After", seconds);
    // Faults inside have no name for clients: there is nothing that they could do about one.
    if (row.http < 500) response.setHeader(failureHeader, name);
  }
  sendEnvelope(response, context, row.http, row.code, textOf(name, error, context), shownOf(error));
  return name;
}

/** Answers without an envelope: with a page, a document, or a provider's own format. */
export function sendText(
  response: ServerResponse,
  context: RequestContext,
  answer: { status?: number; contentType: string; body: string | Buffer; headers?: Record<string, string> },
): void {
  const status = answer.status ?? 200;
  context.code = status;
  response.setHeader("X-Request-Id", context.requestId);
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.writeHead(status, {
    "Cache-Control": "no-store",
    ...answer.headers,
    "Content-Type": answer.contentType,
    "Content-Length": Buffer.byteLength(answer.body),
  });
  response.end(answer.body);
}

export function sendJson(response: ServerResponse, context: RequestContext, status: number, value: unknown): void {
  sendText(response, context, { status, contentType: "application/json; charset=utf-8", body: JSON.stringify(value) });
}
