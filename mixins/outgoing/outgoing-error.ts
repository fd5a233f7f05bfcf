/**
 * Why a call has no answer:
 * - `refusedUrl`: the URL may not be called. Nothing was sent.
 * - `refusedAddress`: it leads to a private address. Nothing was sent.
 * - `busy`: too many calls are under way, in all or to this origin. Nothing was sent; try again soon.
 * - `nameNotFound`: the host's name has no address, or that could not be found out. Nothing was sent.
 * - `connectionFailed`: no connection, no TLS, or the receiver closed it before it answered.
 * - `invalidAnswer`: what it answered is no HTTP, or its head is too large.
 * - `timedOut`: no complete head of an answer within the time limit.
 * - `aborted`: by the caller's signal.
 */
export type OutgoingFailure =
  | "refusedUrl"
  | "refusedAddress"
  | "busy"
  | "nameNotFound"
  | "connectionFailed"
  | "invalidAnswer"
  | "timedOut"
  | "aborted";

/** A call without an answer. The message is for logs and for the receiver's owner; it contains no header and no body. */
export class OutgoingError extends Error {
  readonly reason: OutgoingFailure;

  constructor(reason: OutgoingFailure, message: string) {
    super(message);
    this.name = "OutgoingError";
    this.reason = reason;
  }
}

/** An error of Node's HTTP client, TLS or a connection. */
export function outgoingErrorOf(error: unknown): OutgoingError {
  if (error instanceof OutgoingError) return error;
  const { code = "", message, errors } = error as NodeJS.ErrnoException & { errors?: unknown[] };
  // Several addresses of a name were tried.
  const [first] = errors ?? [];
  if (first) return outgoingErrorOf(first);
  const text = `${code} ${message ?? ""}`.trim();
  return new OutgoingError(code.startsWith("HPE_") ? "invalidAnswer" : "connectionFailed", text);
}
