import type { ServiceBroker } from "moleculer";
import { readForeignTraceparent, traceparentOf } from "../../broker/tracing/trace-context.ts";
import { failureOf, tracerOf } from "../../broker/tracing/tracer.ts";
import type { GatewayRequest } from "./request-context.ts";

/**
 * Carries out a request that was admitted, as the first span of a trace where it is sampled: the calls that it makes with
 * `$ctx` belong to it. The span begins when the request did. `continues`: whether the request may continue a trace of
 * its sender, if the settings allow it at all; where that trace is not sampled, neither is this request.
 */
export async function tracedRequest<T>(
  broker: ServiceBroker,
  request: GatewayRequest,
  work: () => Promise<T>,
  { continues } = { continues: false },
): Promise<T> {
  const tracer = tracerOf(broker);
  if (!tracer) return work();
  const foreign =
    continues && tracer.continuesForeign ? readForeignTraceparent(request.headers.traceparent) : undefined;
  if (!(foreign ? foreign.sampled : tracer.sample())) return work();
  const { route, startedAt } = request.context;
  const span = tracer.start({
    name: `${request.method} ${route}`,
    kind: "server",
    parent: foreign,
    attributes: { "http.request.method": request.method ?? "", "http.route": route, "ovation.node": broker.nodeID },
    startedAtMs: Date.now() - (performance.now() - startedAt),
  });
  request.$ctx.meta = { ...request.$ctx.meta, traces: [traceparentOf(span.context)] };
  try {
    const result = await work();
    span.end();
    return result;
  } catch (error) {
    span.end(failureOf(error));
    throw error;
  }
}
