import type { Context, Middleware, ServiceBroker } from "moleculer";
import type { TraceSettings } from "../../config/trace-settings.ts";
import { during, Spans } from "./spans.ts";

type Handler = (ctx: Context) => Promise<unknown>;

/** What a call carries on: the traceparents of the traces that it is a part of. Claims, like everything in `meta`. */
interface TracesMeta {
  traces?: unknown;
}

/** The first trace that a context is a part of. */
export function traceOf({ meta }: Pick<Context, "meta">): string | undefined {
  const { traces } = meta as TracesMeta;
  return Array.isArray(traces) && typeof traces[0] === "string" ? traces[0] : undefined;
}

const carried = (traces: readonly unknown[]) =>
  traces.flatMap((traceparent, index) =>
    typeof traceparent === "string" ? [{ key: String(index), traceparent }] : [],
  );

/**
 * A span for each trace of a call, at the node that carries the call out. Calls that it makes with its context belong to
 * this span. A call that is traced by nobody costs the look at `meta.traces`.
 */
function tracedAction(broker: ServiceBroker, next: Handler, name: string): Handler {
  return (ctx) => {
    const meta = ctx.meta as TracesMeta;
    const { traces } = meta;
    if (!Array.isArray(traces)) return next(ctx);
    const spans = Spans.start(broker, name, "server", carried(traces), { "ovation.node": broker.nodeID });
    if (!spans) return next(ctx);
    meta.traces = spans.carried().map(({ traceparent }) => traceparent);
    // The caller gets the meta back, and its later calls belong to its own span.
    return during(spans, () => next(ctx)).finally(() => {
      meta.traces = traces;
    });
  };
}

/**
 * The traces of a node, from its start to its stop. Only with settings: without them there is no middleware, and so no
 * cost. What OpenTelemetry needs is loaded at the start.
 */
export function tracing(settings: TraceSettings): Middleware {
  let close: () => Promise<void> = async () => {};
  let broker: ServiceBroker;
  return {
    name: "Tracing",
    created(of) {
      broker = of;
    },
    async starting(of) {
      const { openTracer } = await import("./open-tracer.ts");
      close = await openTracer(of, settings);
    },
    localAction: ((next: Handler, action: { name: string }) => tracedAction(broker, next, action.name)) as never,
    stopped: () => close(),
  };
}
