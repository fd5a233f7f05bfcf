import type { IncomingMessage } from "node:http";
import type { Context } from "moleculer";
import { languageOf, requestIdOf } from "./request/client.ts";
import type { Language } from "./wording.ts";

/** What the gateway knows of a request while it answers it, for the access log and the metrics. */
export class RequestContext {
  readonly requestId: string;
  readonly language: Language;
  readonly startedAt = performance.now();
  /** The route's pattern, from a bounded set, since it is a label of metrics: never the client's text. */
  route = "other";
  /** The envelope's code, or the HTTP status of an answer without an envelope. */
  code = 0;
  userId: string | undefined;
  /** The id of the API key: no secret. */
  keyId: string | undefined;
  /** The name of the member of the staff. */
  person: string | undefined;

  constructor(request: IncomingMessage) {
    this.requestId = requestIdOf(request.headers);
    this.language = languageOf(request.headers);
  }
}

/** A request from the front door. */
export interface GatewayRequest extends IncomingMessage {
  context: RequestContext;
  /** Of the calls that the request makes, with its request id. Set once its route is known. */
  $ctx: Context;
}
