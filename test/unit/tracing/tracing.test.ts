import type { Context, ServiceBroker } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { during, Spans } from "../../../broker/tracing/spans.ts";
import {
  carriedText,
  readCarried,
  readForeignTraceparent,
  readTraceparent,
  traceparentOf,
} from "../../../broker/tracing/trace-context.ts";
import { failureOf, type SpanStart, setTracer, type Tracer } from "../../../broker/tracing/tracer.ts";
import { tracing } from "../../../broker/tracing/tracing.middleware.ts";
import { readConfig } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { traceSettings } from "../../../config/trace-settings.ts";
import { tracedRequest } from "../../../mixins/http/traced-request.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";
const traceparent = `00-${traceId}-${spanId}-01`;

/** A node whose spans the test sees. */
function node(options: Partial<Tracer> = {}) {
  const started: (SpanStart & { id: string; ended?: string | true })[] = [];
  const broker = { nodeID: "gift.one" } as unknown as ServiceBroker;
  setTracer(broker, {
    sample: () => true,
    continuesForeign: true,
    start(about) {
      const id = (started.length + 1).toString(16).padStart(16, "0");
      const span = { ...about, id } as (typeof started)[number];
      started.push(span);
      return {
        context: { traceId: about.parent?.traceId ?? traceId, spanId: id },
        end: (failure) => {
          expect(span.ended).toBeUndefined();
          span.ended = failure ?? true;
        },
      };
    },
    ...options,
  });
  return { broker, started };
}

describe("a traceparent", () => {
  test("is read as it was written, and nothing else is one", () => {
    expect(traceparentOf({ traceId, spanId })).toBe(traceparent);
    expect(readTraceparent(traceparent)).toEqual({ traceId, spanId });
    const zeros = "0".repeat(32);
    for (const other of [undefined, 7, "", `${traceparent} `, traceparent.toUpperCase(), `00-${zeros}-${spanId}-01`])
      expect([other, readTraceparent(other)]).toEqual([other, undefined]);
    // Inside of the system only sampled traces have one.
    expect(readTraceparent(`00-${traceId}-${spanId}-00`)).toBeUndefined();
  });

  test("of another system may be unsampled or of a later version", () => {
    expect(readForeignTraceparent(traceparent)).toEqual({ traceId, spanId, sampled: true });
    expect(readForeignTraceparent(`00-${traceId}-${spanId}-00`)).toMatchObject({ sampled: false });
    expect(readForeignTraceparent(`cc-${traceId}-${spanId}-03-what`)).toMatchObject({ traceId, sampled: true });
    for (const other of [
      `ff-${traceId}-${spanId}-01`,
      `${traceparent}-more`,
      `00-${traceId}-${spanId}`,
      ["x"],
      "x".repeat(500),
    ])
      expect([other, readForeignTraceparent(other)]).toEqual([other, undefined]);
  });

  test("is carried in a message with the key of what it is about, whatever the key has in it", () => {
    for (const key of ["01a20709-5c1e", "a b", " x"])
      expect(readCarried(carriedText({ key, traceparent }))).toEqual({ key, traceparent });
    for (const other of [traceparent, ` ${traceparent}`, "order", "", `order ${traceparent}0`])
      expect([other, readCarried(other)]).toEqual([other, undefined]);
  });
});

describe("the spans of a step", () => {
  test("are one for each thing that is traced, in its own trace, and none where nothing is", async () => {
    const { broker, started } = node();
    expect(Spans.start(broker, "gift.settle", "consumer", [])).toBeUndefined();
    expect(Spans.start(broker, "gift.settle", "consumer", [{ key: "a", traceparent: "forged" }])).toBeUndefined();
    expect(Spans.start({} as ServiceBroker, "gift.settle", "consumer", [{ key: "a", traceparent }])).toBeUndefined();
    const spans = Spans.start(broker, "gift.settle", "consumer", [
      { key: "a", traceparent },
      { key: "a", traceparent },
    ]);
    const part = spans?.part("gift.charge", "client");
    expect(started.map(({ name, parent }) => [name, parent?.spanId])).toEqual([
      ["gift.settle", spanId],
      ["gift.charge", "0000000000000001"],
    ]);
    expect(part?.carried(["a", "b"])).toEqual([{ key: "a", traceparent: `00-${traceId}-0000000000000002-01` }]);
    expect(part?.callOptions(["b"])).toBeUndefined();
    await expect(during(part, () => Promise.reject(fail("balanceShort")))).rejects.toThrow();
    await during(spans, async () => undefined);
    expect(started.map(({ ended }) => ended)).toEqual([true, "balanceShort"]);
  });

  test("are bounded", () => {
    const { broker, started } = node();
    const many = Array.from({ length: limits.traces.carried + 9 }, (_, n) => ({ key: String(n), traceparent }));
    Spans.start(broker, "gift.settle", "consumer", many);
    expect(started).toHaveLength(limits.traces.carried);
  });

  test("say of an error its name, and never its text", () => {
    expect(failureOf(fail("balanceShort"))).toBe("balanceShort");
    expect(failureOf(new Error("13800138000 is not valid"))).toBe("fault");
  });
});

describe("a call", () => {
  const handlerOf = (broker: ServiceBroker, next: (ctx: Context) => Promise<unknown>) => {
    const middleware = tracing({ collector: "otlp", url: "http://127.0.0.1:1", sample: 1, incoming: "none" });
    (middleware.created as (of: ServiceBroker) => void)(broker);
    return (middleware.localAction as never as (n: typeof next, action: object) => typeof next)(next, {
      name: "wallet.charge",
    });
  };

  test("that is a part of traces has a span for each of them, which the calls that it makes belong to", async () => {
    const { broker, started } = node();
    let during: unknown;
    const handle = handlerOf(broker, async (ctx) => {
      during = (ctx.meta as { traces: unknown }).traces;
      return "done";
    });
    const ctx = { meta: { traces: [traceparent] } } as unknown as Context;
    expect(await handle(ctx)).toBe("done");
    expect(started).toMatchObject([{ name: "wallet.charge", parent: { spanId }, ended: true }]);
    expect(during).toEqual([`00-${traceId}-0000000000000001-01`]);
    // The caller gets the meta back.
    expect(ctx.meta).toEqual({ traces: [traceparent] });
  });

  test.each([undefined, "x", 5, [], [7], ["forged"]])(
    "with the traces %j is carried out without a span",
    async (traces) => {
      const { broker, started } = node();
      const handle = handlerOf(broker, async () => "done");
      expect(await handle({ meta: { traces } } as unknown as Context)).toBe("done");
      expect(started).toEqual([]);
    },
  );
});

describe("a request", () => {
  const request = (headers: Record<string, string> = {}) =>
    ({
      method: "POST",
      headers,
      context: { route: "/live/api/gift/send", startedAt: performance.now() },
      $ctx: { meta: {} },
    }) as never as Parameters<typeof tracedRequest>[1];

  test("that is sampled is the first span, and what it calls belongs to it", async () => {
    const { broker, started } = node();
    const one = request({ traceparent });
    expect(await tracedRequest(broker, one, async () => "done")).toBe("done");
    // A user's request continues nobody's trace.
    expect(started).toMatchObject([{ name: "POST /live/api/gift/send", parent: undefined, ended: true }]);
    expect(one.$ctx.meta).toEqual({ traces: [`00-${traceId}-0000000000000001-01`] });
  });

  test("that is not sampled is carried out as without traces", async () => {
    const { broker, started } = node({ sample: () => false });
    const one = request();
    await tracedRequest(broker, one, async () => "done");
    expect([started, one.$ctx.meta]).toEqual([[], {}]);
  });

  test("of the platform continues its trace where the settings say so, also one that is not sampled here", async () => {
    const options = { continues: true };
    const allowed = node({ sample: () => false });
    await tracedRequest(allowed.broker, request({ traceparent }), async () => "done", options);
    expect(allowed.started).toMatchObject([{ parent: { traceId, spanId } }]);
    const refused = node({ sample: () => false, continuesForeign: false });
    await tracedRequest(refused.broker, request({ traceparent }), async () => "done", options);
    expect(refused.started).toEqual([]);
    const unsampled = node();
    await tracedRequest(
      unsampled.broker,
      request({ traceparent: `00-${traceId}-${spanId}-00` }),
      async () => "done",
      options,
    );
    expect(unsampled.started).toEqual([]);
  });

  test("that fails says why by the failure's name", async () => {
    const { broker, started } = node();
    await expect(tracedRequest(broker, request(), () => Promise.reject(fail("tooMany")))).rejects.toThrow();
    expect(started).toMatchObject([{ ended: "tooMany" }]);
  });
});

test("the settings of traces belong together, and their values are checked", () => {
  const servers = {
    NATS_URL: "nats://127.0.0.1:4222",
    REDIS_URL: "redis://127.0.0.1:6379",
    MYSQL_URL: "mysql://u:p@127.0.0.1:3306",
  };
  const read = (env: Record<string, string>) => () =>
    readConfig({ ...servers, PROFILE: "local", SMS_PROVIDER: "console", ...env }, [traceSettings]);
  const TRACES_URL = "http://127.0.0.1:4318/v1/traces";
  for (const TRACES of ["otlp", "jaeger", "zipkin"])
    expect(read({ TRACES, TRACES_URL, TRACES_SAMPLE: "0.05" })).not.toThrow();
  expect(read({ TRACES_SAMPLE: "1" })).not.toThrow();
  expect(read({ TRACES: "otlp" })).toThrow(/TRACES_URL/);
  expect(read({ TRACES_URL })).toThrow(/TRACES/);
  expect(read({ TRACES: "statsd", TRACES_URL })).toThrow(/TRACES/);
  for (const TRACES_SAMPLE of ["1.5", "-1", "1 %", "1e-2"])
    expect(read({ TRACES: "otlp", TRACES_URL, TRACES_SAMPLE })).toThrow(/TRACES_SAMPLE/);
  expect(read({ TRACES: "otlp", TRACES_URL, TRACES_INCOMING: "users" })).toThrow(/TRACES_INCOMING/);
  expect(read({ TRACES: "otlp", TRACES_URL: "http://me:secret@collector/v1/traces" })).toThrow(/no user and password/);
});
