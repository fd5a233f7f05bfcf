import type { ServiceBroker } from "moleculer";
import { failureName, isUnavailable } from "../failure.ts";
import type { TraceContext } from "./trace-context.ts";

/** What a span says beside its name and times. Never a token, a phone number, a text of a user or the text of an error. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanStart {
  readonly name: string;
  /** What the span is, as OpenTelemetry tells them apart. */
  readonly kind: "server" | "client" | "producer" | "consumer" | "internal";
  /** Without one it is the first span of a new trace. */
  readonly parent?: TraceContext | undefined;
  readonly attributes?: Attributes;
  /** By `Date.now`; now where left out. */
  readonly startedAtMs?: number;
}

export interface Span {
  readonly context: TraceContext;
  /** Call it once. `failure` is what `failureOf` says of an error. */
  end(failure?: string): void;
}

/** Makes the spans of a node. */
export interface Tracer {
  /** Whether a request that begins here is traced: as often as the settings say. */
  sample(): boolean;
  /** Whether requests of the server API continue the traces that they name. */
  readonly continuesForeign: boolean;
  start(span: SpanStart): Span;
}

const tracers = new WeakMap<ServiceBroker, Tracer>();

/** The node's tracer; `undefined` where there are no traces. */
export function tracerOf(broker: ServiceBroker): Tracer | undefined {
  return tracers.get(broker);
}

/** Gives a node its tracer, or takes it away. */
export function setTracer(broker: ServiceBroker, tracer: Tracer | undefined): void {
  if (tracer) tracers.set(broker, tracer);
  else tracers.delete(broker);
}

/** What a span says of an error: the failure's name and nothing of its text, which may be a user's. */
export function failureOf(error: unknown): string {
  return failureName(error) ?? (isUnavailable(error) ? "unavailable" : "fault");
}
