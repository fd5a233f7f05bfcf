import createClient from "openapi-fetch";
import { abortedError, type FailureName, nameOfCode, OvationError } from "./errors.ts";
import { defaultRepeats, isOutage, type RepeatOptions, type Repeats, repeated, wasTurnedAway } from "./repeats.ts";

export interface TransportOptions {
  /** Where the gateway is, e.g. `https://live.example`. */
  baseUrl: string;
  /** The language of `message`: Chinese by default. Codes and names are the same in both. */
  language?: "zh" | "en";
  /** How long one request may take, ms: 15,000. */
  timeoutMs?: number;
  repeats?: RepeatOptions;
  /** Instead of the global one. It gets a `Request`. */
  fetch?: (request: Request) => Promise<Response>;
}

/** Options of one call. */
export interface CallOptions {
  /**
   * Ends the call at any step. What was sent may be carried out all the same, so the call rejects with the OvationError
   * `aborted`, which has the idempotency key of a write; it rejects with the signal's reason where nothing was sent.
   */
  signal?: AbortSignal | undefined;
}

/** What the transport has to know of an operation. */
export interface OperationRequest {
  path: string;
  params: unknown;
  headers: Record<string, string>;
  /** Its business failures. */
  failures: readonly FailureName[];
  signal: AbortSignal | undefined;
}

const SUCCESS = 200;
export const IDEMPOTENCY_KEY = "Idempotency-Key";
const KEY_FORM = /^[A-Za-z0-9_-]{8,64}$/;

/** A request is sent and its envelope opened, here alone. */
export class Transport {
  readonly repeats: Repeats;
  private readonly post: (path: string, init: object) => Promise<Reply>;
  private readonly language: string;
  private readonly timeoutMs: number;
  private readonly fetch: (request: Request) => Promise<Response>;

  constructor({ baseUrl, language = "zh", timeoutMs = 15_000, repeats = {}, fetch }: TransportOptions) {
    // A redirect could carry the credentials elsewhere: none is followed.
    const fixed = { redirect: "manual", credentials: "omit", cache: "no-store" } as const;
    this.post = createClient<Record<string, Record<string, unknown>>>({ baseUrl, ...fixed }).POST as never;
    this.fetch = fetch ?? ((request) => globalThis.fetch(request));
    this.repeats = { ...defaultRepeats, ...repeats };
    this.language = language;
    this.timeoutMs = timeoutMs;
  }

  /**
   * The `data` of the answer. A request that was turned away (429) is sent again after a pause, and so is one that was not
   * answered by who decides (503, no answer), where `isSame`: a second one leads to the same outcome.
   * Rejects with an OvationError, with the reason of the signal where nothing was sent, or with a TypeError where the
   * request cannot be made.
   */
  call(request: OperationRequest, isSame: boolean): Promise<unknown> {
    const mayRepeat = (error: unknown) => wasTurnedAway(error) || (isSame && isOutage(error));
    return repeated(() => this.once(request), mayRepeat, this.repeats, request.signal);
  }

  /** One request, without a repeat. */
  async once({ path, params, headers, failures, signal }: OperationRequest): Promise<unknown> {
    const idempotencyKey = headers[IDEMPOTENCY_KEY];
    if (idempotencyKey !== undefined && !KEY_FORM.test(idempotencyKey))
      throw new TypeError(`${path}: an idempotency key has 8 to 64 characters of A-Z, a-z, 0-9, _ and -`);
    signal?.throwIfAborted();
    // Not AbortSignal.any and AbortSignal.timeout: a signal that outlives the call would keep something of each call.
    const ending = new AbortController();
    let sent = false;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      ending.abort();
    }, this.timeoutMs);
    const end = () => ending.abort(signal?.reason);
    signal?.addEventListener("abort", end, { once: true });
    try {
      const reply = await this.post(path, {
        ...{ body: params ?? {}, parseAs: "text", signal: ending.signal },
        headers: { "Accept-Language": this.language, ...headers },
        fetch: (request: Request) => {
          sent = true;
          return this.fetch(request);
        },
      });
      return opened(path, reply, failures, idempotencyKey);
    } catch (cause) {
      // What is thrown earlier is a fault of the caller: the request could not be made.
      if (!sent || cause instanceof OvationError) throw cause;
      if (signal?.aborted) throw abortedError(path, signal, { idempotencyKey });
      // An answer that breaks off is none.
      const name = late ? "timedOut" : "network";
      const details = { name, answered: false, cause, idempotencyKey } as const;
      throw new OvationError(`${path}: ${late ? "no answer in time" : "no answer"}`, details);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    }
  }
}

interface Reply {
  /** The text of a success. */
  data?: string;
  /** The JSON of another answer, or its text where it is none. */
  error?: unknown;
  response: Response;
}

/** The JSON of an answer; undefined where it is none. */
function jsonOf({ data, error }: Reply): unknown {
  if (data === undefined) return error;
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

interface Envelope {
  code: number;
  msg: string;
  data: unknown;
}

function isEnvelope(answer: unknown): answer is Envelope {
  return typeof answer === "object" && answer !== null && Number.isSafeInteger((answer as Envelope).code);
}

function opened(
  path: string,
  reply: Reply,
  failures: readonly FailureName[],
  idempotencyKey: string | undefined,
): unknown {
  const { response } = reply;
  const answer = jsonOf(reply);
  // Of a redirect that was not followed a browser shows nothing, and status 0.
  const { status, headers } = response;
  const traceId = headers.get("X-Request-Id") ?? undefined;
  const retryAfterMs = secondsOf(headers.get("Retry-After"));
  const common = { status, traceId, retryAfterMs, idempotencyKey };
  const refusedByStatus = status >= 400 && status < 500 && status !== 408;
  if (!isEnvelope(answer)) {
    const name = status === 429 ? "tooMany" : "badAnswer";
    const details = { ...common, name, answered: refusedByStatus } as const;
    throw new OvationError(`${path}: HTTP ${status} without an answer of Ovation`, details);
  }
  if (answer.code === SUCCESS && response.ok) return answer.data;
  const signs = { named: headers.get("X-Failure"), data: answer.data, operation: failures };
  const name = nameOfCode(answer.code, signs);
  const answered = response.ok || refusedByStatus || status === 503;
  const details = { ...common, name, code: answer.code, data: answer.data, answered };
  throw new OvationError(`${path}: ${answer.code} ${answer.msg}`, details);
}

/** `Retry-After` in seconds, as ms; a date is not used. */
function secondsOf(header: string | null): number | undefined {
  const seconds = /^\d{1,6}$/.test(header ?? "") ? Number(header) : undefined;
  return seconds === undefined ? undefined : seconds * 1_000;
}
