import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { AlwaysOnSampler, BatchSpanProcessor, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import type { ServiceBroker } from "moleculer";
import { limits } from "../../config/limits.ts";
import type { TraceSettings } from "../../config/trace-settings.ts";
import { roleOfNode } from "../bus/subjects.ts";
import { countSeries } from "../metric-series.ts";
import { type Span, type SpanStart, setTracer, type Tracer } from "./tracer.ts";

const { queuedSpans, exportSpans, exportEveryMs, exportTimeoutMs, flushMs } = limits.traces;

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const satisfies Record<SpanStart["kind"], SpanKind>;

const spansCounter = {
  name: "ovation.traces.spans",
  description: "Spans by what came of them: exported, or lost because the collector did not take them",
} as const;

async function exporterFor({ collector, url }: TraceSettings): Promise<SpanExporter> {
  if (collector === "zipkin") {
    const { ZipkinExporter } = await import("@opentelemetry/exporter-zipkin");
    return new ZipkinExporter({ url });
  }
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
  return new OTLPTraceExporter({ url, timeoutMillis: exportTimeoutMs });
}

/** Counts the spans of an exporter; a collector that is away is one line in the log, until it takes spans again. */
function counted(exporter: SpanExporter, { metrics, logger }: ServiceBroker, url: string): SpanExporter {
  metrics.register({ type: "counter", ...spansCounter, labelNames: ["outcome"] });
  const broker = { metrics } as ServiceBroker;
  const [exported, lost] = ["exported", "lost"].map((outcome) => countSeries(broker, spansCounter.name, { outcome }));
  let isAway = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const { code, error } = result;
        if (code === 0) exported?.(spans.length);
        else lost?.(spans.length);
        if (code !== 0 && !isAway)
          logger.warn(
            { err: error, url: new URL(url).origin },
            "the collector takes no spans: traces are lost, and nothing else",
          );
        else if (code === 0 && isAway) logger.info("the collector takes spans again");
        isAway = code !== 0;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush && { forceFlush: () => exporter.forceFlush?.() as Promise<void> }),
  };
}

/** The ids of these spans are the parent's: OpenTelemetry's own context, which follows asynchronous calls, is not used. */
function contextOf({ parent }: SpanStart) {
  if (!parent) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { ...parent, traceFlags: TraceFlags.SAMPLED, isRemote: true });
}

/**
 * Gives the node its tracer. Resolves to what sends its last spans, within `limits.traces.flushMs`, and takes it away.
 * Whether a request is traced is decided before its first span, so every span that is started is exported.
 */
export async function openTracer(broker: ServiceBroker, settings: TraceSettings): Promise<() => Promise<void>> {
  const exporter = counted(await exporterFor(settings), broker, settings.url);
  const bounds = { maxQueueSize: queuedSpans, maxExportBatchSize: exportSpans };
  const times = { scheduledDelayMillis: exportEveryMs, exportTimeoutMillis: exportTimeoutMs };
  const provider = new TracerProvider({
    sampler: new AlwaysOnSampler(),
    resource: resourceFromAttributes({
      "service.name": `${broker.namespace || "ovation"}.${roleOfNode(broker.nodeID)}`,
      "service.instance.id": broker.nodeID,
    }),
    spanProcessors: [new BatchSpanProcessor({ exporter, ...bounds, ...times })],
  });
  const spans = provider.getTracer("ovation");
  const tracer: Tracer = {
    sample: () => Math.random() < settings.sample,
    continuesForeign: settings.incoming === "server",
    start(about): Span {
      const { name, kind, attributes, startedAtMs } = about;
      const options = {
        kind: kinds[kind],
        ...(attributes && { attributes }),
        ...(startedAtMs !== undefined && { startTime: startedAtMs }),
      };
      const span = spans.startSpan(name, options, contextOf(about));
      const { traceId, spanId } = span.spanContext();
      return {
        context: { traceId, spanId },
        end(failure) {
          if (failure !== undefined) {
            span.setAttribute("error.type", failure);
            span.setStatus({ code: SpanStatusCode.ERROR });
          }
          span.end();
        },
      };
    },
  };
  setTracer(broker, tracer);
  return async () => {
    setTracer(broker, undefined);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, flushMs);
    });
    const closed = provider
      .shutdown()
      .catch((err: unknown) => broker.logger.warn({ err }, "the last spans were not sent"));
    await Promise.race([closed, late]).finally(() => clearTimeout(timer));
  };
}
