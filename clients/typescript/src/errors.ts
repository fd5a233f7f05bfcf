import { failureCodes } from "./generated/failures.ts";

/** A failure of the system, by its name in the table of failures. */
export type FailureName = keyof typeof failureCodes;
/**
 * `network`: no whole answer arrived. `timedOut`: none arrived in time. `aborted`: the call's signal ended it after a
 * request was sent; `cause` is the signal's reason. `badAnswer`: what answered was not Ovation. `unknownCode`: Ovation
 * answered with a code that this version of the client does not know.
 */
export type ErrorName = FailureName | "network" | "timedOut" | "aborted" | "badAnswer" | "unknownCode";

interface ErrorDetails {
  name: ErrorName;
  code?: number | undefined;
  status?: number | undefined;
  traceId?: string | undefined;
  data?: unknown;
  retryAfterMs?: number | undefined;
  idempotencyKey?: string | undefined;
  answered: boolean;
  cause?: unknown;
}

/** Every failure of a call: a refusal for a business reason, a fault, or no answer. */
export class OvationError extends Error {
  override readonly name: ErrorName;
  /** The code of the answer; undefined where there was none. */
  readonly code: number | undefined;
  /** The HTTP status. Business reasons have 200. Undefined where no answer arrived. */
  readonly status: number | undefined;
  /** `X-Request-Id` of the answer: the server's logs have it. */
  readonly traceId: string | undefined;
  /** `data` of the answer, e.g. the order id of a 503 of gift/send. */
  readonly data: unknown;
  /** `Retry-After`, ms. */
  readonly retryAfterMs: number | undefined;
  /** Of a write of the server API: a later call with it and the same params gets the outcome of this one. */
  readonly idempotencyKey: string | undefined;
  /** False where the request may have been carried out all the same: no answer, a fault inside, a proxy's answer. */
  readonly answered: boolean;

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = details.name;
    this.code = details.code;
    this.status = details.status;
    this.traceId = details.traceId;
    this.data = details.data;
    this.retryAfterMs = details.retryAfterMs;
    this.idempotencyKey = details.idempotencyKey;
    this.answered = details.answered;
  }

  /** Refused for a business reason: the same request will be refused again until something changes. */
  get refused(): boolean {
    return this.status === 200 && this.code !== undefined;
  }
}

/** The call was ended by its signal after a request was sent: that one may be carried out all the same. */
export function abortedError(what: string, signal: AbortSignal, before: Partial<ErrorDetails> = {}): OvationError {
  const { idempotencyKey, data } = before;
  const details = { name: "aborted", answered: false, cause: signal.reason, idempotencyKey, data } as const;
  return new OvationError(`${what}: ended by its signal; what was sent may be carried out`, details);
}

/** What an answer says of its failure besides the code. */
interface FailureSigns {
  /** The header `X-Failure`. */
  named?: string | null;
  data?: unknown;
  /** The business failures of the operation. */
  operation?: readonly FailureName[];
}

/**
 * The name of a code. Some codes belong to several failures. The header names the failure; without one that this version
 * knows for the code, the operation's own decide, where only one of them has the code; otherwise it is the general name
 * of the code, and `business` where the operation has several (`message` tells them apart for people).
 */
export function nameOfCode(
  code: number,
  { named, data = null, operation = [] }: FailureSigns = {},
): FailureName | "unknownCode" {
  if (named && Object.hasOwn(failureCodes, named) && failureCodes[named as FailureName] === code)
    return named as FailureName;
  if (code === failureCodes.giftGated && data !== null) return "giftGated";
  const own = operation.filter((name) => failureCodes[name] === code);
  if (own.length === 1) return own[0] as FailureName;
  if (own.length > 1) return "business";
  const names = Object.keys(failureCodes) as FailureName[];
  return names.find((name) => failureCodes[name] === code) ?? "unknownCode";
}
