import type { ServerResponse } from "node:http";
import type { Logger, ServiceBroker } from "moleculer";
import { refusalOf, sendFailure, shownOf } from "./answer.ts";
import { registerHttpMetrics } from "./http-metrics.ts";
import type { GatewayRequest } from "./request-context.ts";

/** Answers a request with its error's failure. A fault is logged here, with the request id of the answer. */
export function answerFailure(logger: Logger, request: GatewayRequest, response: ServerResponse, error: unknown): void {
  const { context } = request;
  const { requestId, route, userId, keyId, person } = context;
  const about = { requestId, route, userId, keyId, person, err: error };
  const name = sendFailure(response, context, error);
  const shown = shownOf(error);
  if (shown && name === "unavailable")
    logger.warn({ ...about, shown }, "a request may have been carried out: answered 503");
  else if (name === "internal") logger.error(about, "request failed: answered 500");
  const refusal = refusalOf(error);
  if (refusal) logger.warn({ ...about, ...refusal }, "an action refused params that the gateway let through");
}

/** For each request that has ended: counts it in the metrics and writes its line to the log. */
export function requestLog(
  broker: ServiceBroker,
  logger: Logger,
): (request: GatewayRequest, response: ServerResponse) => void {
  const countRequest = registerHttpMetrics(broker);
  return (request, response) => {
    const { requestId, route, userId, keyId, person, code, startedAt } = request.context;
    const ms = Math.round((performance.now() - startedAt) * 10) / 10;
    const status = response.statusCode;
    const path = (request.url ?? "").split("?", 1)[0]?.slice(0, 200);
    countRequest({ route, status, code, ms });
    const { method } = request;
    logger.info({ method, path, status, code: code || status, ms, requestId, userId, keyId, person }, "request");
  };
}
