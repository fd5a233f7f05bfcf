import { z } from "zod";
import { settingsOf } from "./config.ts";
import { url } from "./setting-kinds.ts";
import type { SettingsBlock } from "./settings-block.ts";

/** The collectors: Zipkin has a form of its own, Jaeger and the others take OTLP over HTTP. */
export const collectors = ["otlp", "jaeger", "zipkin"] as const;
/** Whose `traceparent` is continued: nobody's, or the platform's backend's (the server API). */
export const incomingTraces = ["none", "server"] as const;

const share = z.string().refine((text) => /^(0(\.\d{1,6})?|1(\.0+)?)$/.test(text), "must be a number from 0 to 1");
const withoutLogin = url("http:", "https:").refine((text) => {
  const { username, password } = new URL(text);
  return username === "" && password === "";
}, "must have no user and password in it");

/** Of every node. */
export const traceSettings: SettingsBlock = {
  title: "Traces",
  settings: {
    TRACES: {
      kind: z.enum(collectors),
      text: [
        "Traces, of all nodes alike: otlp (any collector of OpenTelemetry, over HTTP with JSON), jaeger (the same, as Jaeger",
        "takes it) or zipkin. Unset: no traces, at no cost.",
      ],
    },
    TRACES_URL: {
      kind: withoutLogin,
      text: ["The whole URL, such as http://127.0.0.1:4318/v1/traces or http://127.0.0.1:9411/api/v2/spans."],
    },
    TRACES_SAMPLE: {
      kind: share,
      optional: true,
      alone: true,
      text: ["The share of requests that are traced, from 0 to 1: 0.01 where it is unset."],
    },
    TRACES_INCOMING: {
      kind: z.enum(incomingTraces),
      optional: true,
      alone: true,
      text: [
        "none (where it is unset): a traceparent of a request counts for nothing. server: requests of the server API, with",
        "a valid API key, continue the trace that they name, if it is sampled. Users' requests never do.",
      ],
    },
  },
};

export interface TraceSettings {
  readonly collector: (typeof collectors)[number];
  readonly url: string;
  /** From 0 to 1. */
  readonly sample: number;
  readonly incoming: (typeof incomingTraces)[number];
}

/** `undefined`: no traces. @throws Error that lists every problem of this process's settings */
export function traceSettingsOf(): TraceSettings | undefined {
  const given = settingsOf(traceSettings);
  if (!given?.TRACES) return undefined;
  return {
    collector: given.TRACES as TraceSettings["collector"],
    url: given.TRACES_URL as string,
    sample: Number(given.TRACES_SAMPLE ?? 0.01),
    incoming: (given.TRACES_INCOMING ?? "none") as TraceSettings["incoming"],
  };
}
