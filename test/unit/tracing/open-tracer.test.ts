import { ServiceBroker } from "moleculer";
import { openTracer } from "../../../broker/tracing/open-tracer.ts";
import { type Tracer, tracerOf } from "../../../broker/tracing/tracer.ts";
import { SpanCollector } from "../../support/span-collector.ts";

/** A node with a tracer that sends to a collector of the test. */
async function opened(collector: "otlp" | "jaeger" | "zipkin", url: string) {
  const broker = new ServiceBroker({ nodeID: "gift.one", logger: false, metrics: { enabled: true, reporter: [] } });
  const close = await openTracer(broker, { collector, url, sample: 1, incoming: "none" });
  const spans = (outcome: string) => {
    const values = broker.metrics.list({ includes: "ovation.traces.spans" })[0]?.values as unknown as {
      value: number;
      labels: { outcome: string };
    }[];
    return values.find(({ labels }) => labels.outcome === outcome)?.value;
  };
  return { broker, close, spans, tracer: tracerOf(broker) as Tracer };
}

test.each(["otlp", "jaeger"] as const)(
  "%s gets the spans as they were made, the last ones at the stop",
  async (kind) => {
    const collector = await SpanCollector.start();
    const { broker, close, spans, tracer } = await opened(kind, collector.url);
    const first = tracer.start({
      name: "POST /live/api/gift/send",
      kind: "server",
      attributes: { "ovation.group": 3 },
    });
    const second = tracer.start({ name: "gift.accept", kind: "server", parent: first.context });
    second.end("balanceShort");
    first.end();
    await close();
    expect(collector.spans).toMatchObject([
      { name: "gift.accept", parentSpanId: first.context.spanId, failed: true, node: "gift.one" },
      { name: "POST /live/api/gift/send", parentSpanId: undefined, failed: false },
    ]);
    expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([first.context.traceId]));
    expect([spans("exported"), spans("lost")]).toEqual([2, 0]);
    expect(tracerOf(broker)).toBeUndefined();
    await collector.stop();
  },
);

test("a collector that is away costs the spans and nothing else: the stop does not wait for it", async () => {
  const collector = await SpanCollector.start();
  const { url } = collector;
  await collector.stop();
  const { close, tracer } = await opened("zipkin", url.replace("/v1/traces", "/api/v2/spans"));
  tracer.start({ name: "gift.settle", kind: "consumer" }).end();
  const began = performance.now();
  await close();
  expect(performance.now() - began).toBeLessThan(4_000);
});
