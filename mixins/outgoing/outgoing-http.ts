import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { afterAnswers } from "../../broker/after-answers.ts";
import { limits } from "../../config/limits.ts";
import { checkedLookup } from "./checked-lookup.ts";
import { OutgoingError, outgoingErrorOf } from "./outgoing-error.ts";
import { leadsInside, problemOfUrl, type Receivers } from "./outgoing-url.ts";
import { isPublicAddress } from "./public-address.ts";
import { nameResolver, type ResolveName } from "./resolve-name.ts";

export interface OutgoingCall {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For the whole call: name, connection, request, and answer to its end. */
  readonly timeoutMs: number;
  /** The bytes of the answer's body that are read. */
  readonly maxAnswerBytes: number;
  readonly signal?: AbortSignal;
}

export interface OutgoingAnswer {
  /** As the receiver sent it: a redirect is an answer like others, and is not followed. */
  readonly status: number;
  /** The body as UTF-8; its beginning, where `ending` is not `complete`. */
  readonly body: string;
  /**
   * The head of the answer is complete in any case. `tooLarge`: the body has more than `maxAnswerBytes`. `closed`: the
   * receiver closed the connection before the body's end. `timedOut`: the body did not end within the time limit.
   */
  readonly ending: "complete" | "tooLarge" | "closed" | "timedOut";
  readonly headers: IncomingMessage["headers"];
  readonly durationMs: number;
}

export interface OutgoingOptions {
  /** `public`: private addresses are refused. */
  readonly receivers: Receivers;
  readonly calls?: number;
  readonly callsPerOrigin?: number;
  /** In place of DNS. */
  readonly resolve?: ResolveName;
  /** In place of the rule of `receivers` for the addresses of names. */
  readonly isAllowed?: (address: string) => boolean;
}

/**
 * HTTP calls to receivers that others chose, which may be slow, broken or hostile. Follows no redirect. Checks the
 * address of every connection when it connects. Everything is bounded: time, calls under way, what is read, and
 * connections that are kept for the next call. Uses no thread for slow names.
 */
export class OutgoingHttp {
  private readonly options: Required<Pick<OutgoingOptions, "receivers" | "calls" | "callsPerOrigin">>;
  private readonly agents: { readonly "http:": HttpAgent; readonly "https:": HttpsAgent };
  private readonly underWay = new Map<string, number>();
  private inAll = 0;

  constructor(options: OutgoingOptions) {
    const { calls, callsPerOrigin, idlePerOrigin: maxFreeSockets, idleMs: timeout } = limits.outgoing;
    const { receivers, resolve = nameResolver(receivers) } = options;
    const { isAllowed = receivers === "any" ? () => true : isPublicAddress } = options;
    this.options = { calls, callsPerOrigin, ...options };
    const lookup = checkedLookup(resolve, isAllowed);
    const kept = { keepAlive: true, maxFreeSockets, timeout, lookup };
    this.agents = { "http:": new HttpAgent(kept), "https:": new HttpsAgent(kept) };
  }

  /** The calls under way. */
  get calls(): number {
    return this.inAll;
  }

  /**
   * Sends a POST. Where a kept connection turns out to be closed the request is sent once more on another one, so the
   * receiver may see it twice: it must be a question, or have an id that is the same in both. Rejects with
   * `OutgoingError` where no complete head of an answer came.
   */
  async post(call: OutgoingCall): Promise<OutgoingAnswer> {
    const problem = problemOfUrl(call.url, this.options.receivers);
    if (problem) throw new OutgoingError(problem === leadsInside ? "refusedAddress" : "refusedUrl", `it ${problem}`);
    const url = new URL(call.url);
    const { origin } = url;
    const toOrigin = this.underWay.get(origin) ?? 0;
    if (this.inAll >= this.options.calls || toOrigin >= this.options.callsPerOrigin)
      throw new OutgoingError("busy", "too many calls are under way");
    this.inAll++;
    this.underWay.set(origin, toOrigin + 1);
    try {
      return await exchange(call, () => this.begin(url, call));
    } finally {
      this.inAll--;
      const left = (this.underWay.get(origin) ?? 0) - 1;
      if (left > 0) this.underWay.set(origin, left);
      else this.underWay.delete(origin);
    }
  }

  /** Closes the connections that are kept. Calls under way fail with `connectionFailed`. */
  close(): void {
    for (const agent of Object.values(this.agents)) agent.destroy();
  }

  private begin(url: URL, { headers, body }: OutgoingCall): ClientRequest {
    const about = {
      method: "POST",
      maxHeaderSize: limits.outgoing.headBytes,
      headers: { ...headers, "user-agent": "Ovation", "content-length": Buffer.byteLength(body) },
    };
    const request =
      url.protocol === "https:"
        ? httpsRequest(url, { ...about, agent: this.agents["https:"] })
        : httpRequest(url, { ...about, agent: this.agents["http:"] });
    return request.end(body);
  }
}

/** One call until its answer or failure. Afterwards nothing of it is left but, perhaps, a connection for the next one. */
function exchange(
  { timeoutMs, maxAnswerBytes, signal }: OutgoingCall,
  begin: () => ClientRequest,
): Promise<OutgoingAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<OutgoingAnswer>();
  const startedAt = performance.now();
  let request: ClientRequest;
  let response: IncomingMessage | undefined;
  let callOff = () => {};
  let isOver = false;
  const chunks: Buffer[] = [];
  let size = 0;

  /** The first end counts: it ends the request too, and what the request reports afterwards is not looked at. */
  const end = (settle: () => void, keepConnection: boolean) => {
    if (isOver) return;
    isOver = true;
    callOff();
    signal?.removeEventListener("abort", onAbort);
    settle();
    if (!keepConnection) request.destroy();
  };
  const answered = (ending: OutgoingAnswer["ending"], { statusCode = 0, headers }: IncomingMessage) =>
    end(() => {
      const body = Buffer.concat(chunks).toString("utf8");
      resolve({ status: statusCode, body, ending, headers, durationMs: performance.now() - startedAt });
    }, ending === "complete");
  const failed = (error: OutgoingError) => end(() => reject(error), false);
  const onAbort = () => failed(new OutgoingError("aborted", "the call was given up"));

  const onResponse = (head: IncomingMessage) => {
    response = head;
    head.on("data", (chunk: Buffer) => {
      const room = maxAnswerBytes - size;
      size += chunk.length;
      if (room > 0) chunks.push(chunk.subarray(0, room));
      if (size > maxAnswerBytes) answered("tooLarge", head);
    });
    head.on("end", () => answered(head.complete ? "complete" : "closed", head));
    head.on("error", () => answered("closed", head));
    head.on("close", () => answered("closed", head));
  };
  const onError = (error: NodeJS.ErrnoException) => {
    if (isOver) return;
    const isClosed = error.code === "ECONNRESET" || error.code === "EPIPE";
    if (response) answered("closed", response);
    else if (request.reusedSocket && isClosed) start();
    else failed(outgoingErrorOf(error));
  };
  const start = () => {
    request = begin();
    request.on("response", onResponse);
    request.on("error", onError);
    // 101: nobody asked for another protocol.
    request.on("upgrade", (_head, socket) => {
      socket.destroy();
      failed(new OutgoingError("invalidAnswer", "it answered with another protocol"));
    });
  };

  start();
  callOff = afterAnswers(timeoutMs, () => {
    if (response) answered("timedOut", response);
    else failed(new OutgoingError("timedOut", `no answer within ${timeoutMs} ms`));
  });
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return promise;
}
