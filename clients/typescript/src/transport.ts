import createClient from "openapi-fetch";
import { type FailureName, nameOfCode, OvationError } from "./errors.ts";
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
  /** Ends the call at any step: it rejects with the signal's reason. What was sent may be carried out all the same. */
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

/** A request is sent and its envelope opened, here alone. */
export class Transport {
  readonly repeats: Repeats;
  private readonly post: (path: string, init: object) => Promise<Reply>;
  private readonly language: string;
  private readonly timeoutMs: number;

  constructor({ baseUrl, language = "zh", timeoutMs = 15_000, repeats = {}, fetch }: TransportOptions) {
    // A redirect could carry the credentials elsewhere.
    const fixed = { redirect: "error", credentials: "omit", cache: "no-store" } as const;
    const client = createClient<Record<string, Record<string, unknown>>>({
      baseUrl,
      ...fixed,
      ...(fetch && { fetch }),
    });
    this.post = client.POST as never;
    this.repeats = { ...defaultRepeats, ...repeats };
    this.language = language;
    this.timeoutMs = timeoutMs;
  }

  /**
   * The `data` of the answer. A request that was turned away (429) is sent again after a pause, and so is one that was not
   * answered by who decides (503, no answer), where `isSame`: a second one leads to the same outcome.
   * Rejects with an OvationError, or with the reason of the signal.
   */
  call(request: OperationRequest, isSame: boolean): Promise<unknown> {
    const mayRepeat = (error: unknown) => wasTurnedAway(error) || (isSame && isOutage(error));
    return repeated(() => this.once(request), mayRepeat, this.repeats, request.signal);
  }

  /** One request, without a repeat. */
  async once({ path, params, headers, failures, signal }: OperationRequest): Promise<unknown> {
    signal?.throwIfAborted();
    const timeout = AbortSignal.timeout(this.timeoutMs);
    let reply: Reply;
    try {
      reply = await this.post(path, {
        body: params ?? {},
        headers: { "Accept-Language": this.language, ...headers },
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
    } catch (cause) {
      signal?.throwIfAborted();
      // An answer that breaks off, or is no JSON, is none.
      const name = timeout.aborted ? "timedOut" : "network";
      throw new OvationError(`${path}: ${name === "network" ? "no answer" : "no answer in time"}`, {
        ...{ name, answered: false, cause, idempotencyKey: headers[IDEMPOTENCY_KEY] },
      });
    }
    return opened(path, reply, failures, headers[IDEMPOTENCY_KEY]);
  }
}

interface Reply {
  data?: unknown;
  error?: unknown;
  response: Response;
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
  { data, error, response }: Reply,
  failures: readonly FailureName[],
  idempotencyKey: string | undefined,
): unknown {
  const answer = data ?? error;
  const { status } = response;
  const requestId = response.headers.get("X-Request-Id") ?? undefined;
  const retryAfterMs = secondsOf(response.headers.get("Retry-After"));
  const common = { status, requestId, retryAfterMs, idempotencyKey };
  const refusedByStatus = status >= 400 && status < 500 && status !== 408;
  if (!isEnvelope(answer)) {
    const name = status === 429 ? "tooMany" : "badAnswer";
    const details = { ...common, name, answered: refusedByStatus } as const;
    throw new OvationError(`${path}: HTTP ${status} without an answer of Ovation`, details);
  }
  if (answer.code === SUCCESS && response.ok) return answer.data;
  const name = nameOfCode(answer.code, failures);
  const answered = response.ok || refusedByStatus || status === 503;
  const details = { ...common, name, code: answer.code, data: answer.data, answered };
  throw new OvationError(`${path}: ${answer.code} ${answer.msg}`, details);
}

/** `Retry-After` in seconds, as ms; a date is not used. */
function secondsOf(header: string | null): number | undefined {
  const seconds = /^\d{1,6}$/.test(header ?? "") ? Number(header) : undefined;
  return seconds === undefined ? undefined : seconds * 1_000;
}
