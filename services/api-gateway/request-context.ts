import type { IncomingMessage } from "node:http";
import type { Context } from "moleculer";
import { languageOf, requestIdOf } from "./request/client.ts";
import type { Language } from "./wording.ts";

/** What the gateway knows of one request while it answers it; the access log and the metrics are made of it. */
export class RequestContext {
  readonly requestId: string;
  readonly language: Language;
  readonly startedAt = performance.now();
  /** The route's pattern, a bounded set: a label of the metrics, never what the client wrote. */
  route = "other";
  /** The envelope's code, or the HTTP status of what has no envelope. */
  code = 0;
  userId: string | undefined;

  constructor(request: IncomingMessage) {
    this.requestId = requestIdOf(request.headers);
    this.language = languageOf(request.headers);
  }
}

/** A request as it comes through the front door; moleculer-web adds the context that carries its request id. */
export interface GatewayRequest extends IncomingMessage {
  context: RequestContext;
  $ctx: Context;
}
