/**
 * The place of a span, as W3C's `traceparent` writes it: the trace, and the span in it. Inside the system only traces
 * that are sampled have one. Pure.
 */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
}

/** Version 00, sampled. */
export const traceparentForm = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/;

export function traceparentOf({ traceId, spanId }: TraceContext): string {
  return `00-${traceId}-${spanId}-01`;
}

/** `undefined` where it is none. */
export function readTraceparent(text: unknown): TraceContext | undefined {
  if (typeof text !== "string" || !traceparentForm.test(text)) return undefined;
  return { traceId: text.slice(3, 35), spanId: text.slice(36, 52) };
}

const anyVersion = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * The header of another system: of a later version the fields that this one knows count. `undefined` where it is none;
 * `sampled` false where that system does not record the trace.
 */
export function readForeignTraceparent(text: unknown): (TraceContext & { readonly sampled: boolean }) | undefined {
  const [, traceId, spanId, flags, more] =
    (typeof text === "string" && text.length <= 200 && anyVersion.exec(text)) || [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (more !== undefined && (text as string).startsWith("00")) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The trace of one of many things in a message, e.g. of a gift by its order id. */
export interface Carried {
  readonly key: string;
  readonly traceparent: string;
}

/** As a header of a message: the key and the traceparent. */
export function carriedText({ key, traceparent }: Carried): string {
  return `${key} ${traceparent}`;
}

/** `undefined` where it is none. */
export function readCarried(text: string): Carried | undefined {
  const at = text.lastIndexOf(" ");
  const traceparent = text.slice(at + 1);
  return at > 0 && traceparentForm.test(traceparent) ? { key: text.slice(0, at), traceparent } : undefined;
}
