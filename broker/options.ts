import type { BrokerOptions } from "moleculer";
import { config } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import { traceSettingsOf } from "../config/trace-settings.ts";
import { actionMetrics } from "./action-metrics.middleware.ts";
import { anotherNode } from "./bus/another-node.middleware.ts";
import { callerTable } from "./bus/caller-table.middleware.ts";
import { newInstance } from "./bus/instance.ts";
import { busGuard } from "./bus-guard.middleware.ts";
import { dependencyErrors } from "./dependency-errors.middleware.ts";
import { heartbeatsFirst } from "./heartbeats-first.middleware.ts";
import { logDestination, logMetrics } from "./log-destination.ts";
import { loggedError } from "./logged-error.ts";
import { messageSize } from "./message-size.middleware.ts";
import { busOptions } from "./nats-options.ts";
import { processMetrics } from "./process-metrics.middleware.ts";
import { nodeMetadata } from "./releases.ts";
import { timedOutCalls } from "./timed-out-calls.middleware.ts";
import { tracing } from "./tracing/tracing.middleware.ts";
import "./bus/own-subjects.ts";
import "./local-first-strategy.ts";
import "./rendezvous-strategy.ts";

/** What a node is called by others. */
export interface NodeName {
  /** What it may do on the bus: broker/bus/roles.ts. */
  readonly role: string;
  /** For people, e.g. `wallet-2`: the beginning of the instance. */
  readonly label?: string | undefined;
  /** The whole instance: the person at a console. Otherwise it is NODE_ID, or made with the label. */
  readonly instance?: string;
}

/** The broker options of one node. Its id is `<role>.<instance>`, two tokens of the subjects of its packets. */
export function brokerOptions({ role, label, instance }: NodeName): BrokerOptions {
  const settings = config();
  const traces = traceSettingsOf();
  return {
    namespace: settings.NAMESPACE,
    nodeID: `${role}.${instance ?? settings.NODE_ID ?? newInstance(role, label)}`,
    metadata: nodeMetadata(),
    transporter: { type: "OwnSubjects", options: busOptions("moleculer") } as never,
    serializer: "JSON",
    // Bounds how long a call may hang when its node was killed.
    requestTimeout: settings.CALL_TIMEOUT_MS,
    // A retry repeats calls that may have been carried out. Callers that may repeat do so themselves, with a business
    // id.
    retryPolicy: { enabled: false },
    maxCallLevel: limits.rpc.maxCallLevel,
    heartbeatInterval: limits.rpc.heartbeatIntervalS,
    heartbeatTimeout: limits.rpc.heartbeatTimeoutS,
    contextParamsCloning: false,
    tracking: { enabled: true, shutdownTimeout: limits.rpc.shutdownTimeoutMs },
    registry: { strategy: "LocalFirst", preferLocal: false },
    // Every action checks its parameters by the zod schema of its contract: services/define-service.ts.
    validator: false,
    // Histograms with quantiles keep every sample for this long and sort them at each scrape.
    metrics: { enabled: true, reporter: [], defaultMaxAgeSeconds: limits.http.metricsWindowS },
    tracing: false,
    // Only the middlewares that are used here; each of the others would cost every call another promise.
    internalMiddlewares: false,
    middlewares: [
      dependencyErrors,
      "ActionHook",
      "ContextTracker",
      "Timeout",
      timedOutCalls,
      "ErrorHandler",
      actionMetrics,
      logMetrics(settings.LOG_FILE),
      processMetrics(),
      ...(traces ? [tracing(traces)] : []),
      messageSize,
      callerTable,
      anotherNode,
      heartbeatsFirst,
      // The last one is the outermost: it sees incoming packets first.
      busGuard,
    ] as never,
    logger: {
      type: "Pino",
      options: {
        level: settings.LOG_LEVEL,
        pino: {
          options: { level: settings.LOG_LEVEL, base: undefined, serializers: { err: loggedError } },
          destination: logDestination(settings.LOG_FILE),
        },
      },
    },
    skipProcessEventRegistration: true,
  };
}
