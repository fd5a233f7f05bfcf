import type { ServiceBroker } from "moleculer";
import { limits } from "../../config/limits.ts";
import { type Carried, readTraceparent, traceparentOf } from "./trace-context.ts";
import { type Attributes, failureOf, type Span, type SpanStart, tracerOf } from "./tracer.ts";

type Kind = SpanStart["kind"];

/**
 * The spans of one step that does many things at once, each of a trace of its own: e.g. of a batch in which two gifts of
 * 500 are traced. There is one only where at least one of the things is traced.
 */
export class Spans {
  private readonly broker: ServiceBroker;
  private readonly byKey: ReadonlyMap<string, Span>;

  private constructor(broker: ServiceBroker, byKey: ReadonlyMap<string, Span>) {
    this.broker = broker;
    this.byKey = byKey;
  }

  /** Starts a span for each of these; `undefined` where there is none, or the node has no traces. */
  static start(
    broker: ServiceBroker,
    name: string,
    kind: Kind,
    carried: Iterable<Carried>,
    attributes?: Attributes,
  ): Spans | undefined {
    const tracer = tracerOf(broker);
    if (!tracer) return undefined;
    const byKey = new Map<string, Span>();
    for (const { key, traceparent } of carried) {
      const parent = readTraceparent(traceparent);
      if (!parent || byKey.has(key) || byKey.size >= limits.traces.carried) continue;
      byKey.set(key, tracer.start({ name, kind, parent, ...(attributes && { attributes }) }));
    }
    return byKey.size > 0 ? new Spans(broker, byKey) : undefined;
  }

  /** What follows from this step carries these on: of all, or of those with one of the keys. */
  carried(keys?: Iterable<string>): Carried[] {
    const wanted = keys ?? this.byKey.keys();
    return [...wanted].flatMap((key) => {
      const span = this.byKey.get(key);
      return span ? [{ key, traceparent: traceparentOf(span.context) }] : [];
    });
  }

  /** The traceparent of one of the things, where it is traced. */
  of(key: string): string | undefined {
    const span = this.byKey.get(key);
    return span && traceparentOf(span.context);
  }

  /** The options of a call that carries these on; see tracing.middleware.ts. */
  callOptions(keys?: Iterable<string>): { meta: { traces: string[] } } | undefined {
    const traces = this.carried(keys).map(({ traceparent }) => traceparent);
    return traces.length > 0 ? { meta: { traces } } : undefined;
  }

  /** A part of this step, of the same things. */
  part(name: string, kind: Kind): Spans {
    return Spans.start(this.broker, name, kind, this.carried()) as Spans;
  }

  /** Ends the spans; `error` is why the step failed. */
  end(error?: unknown): void {
    const failure = error === undefined ? undefined : failureOf(error);
    for (const span of this.byKey.values()) span.end(failure);
  }
}

/** Does the work of a step and ends its spans, where there are any. */
export async function during<T>(spans: Spans | undefined, work: () => Promise<T>): Promise<T> {
  if (!spans) return work();
  try {
    const result = await work();
    spans.end();
    return result;
  } catch (error) {
    spans.end(error ?? new Error("failed"));
    throw error;
  }
}
