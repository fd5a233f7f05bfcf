import type { Context, Middleware, ServiceBroker } from "moleculer";
import * as moleculer from "moleculer";
import { type Count, countSeries, histogramSeries, type Observe, timeBucketsMs } from "./metric-series.ts";

const { METRIC } = moleculer;
// Missing in Moleculer's types.
const { Middlewares } = moleculer as unknown as { Middlewares: { Metrics(broker: ServiceBroker): Middleware } };

/** One action called by one caller. */
interface Series {
  total: Count;
  active: Count;
  time: Observe;
}

type Handler = (ctx: Context) => Promise<unknown>;

interface Action {
  name: string;
  service?: { fullName: string };
}

function open(broker: ServiceBroker, labels: Record<string, string | null>): Series {
  return {
    total: countSeries(broker, METRIC.MOLECULER_REQUEST_TOTAL, labels),
    active: countSeries(broker, METRIC.MOLECULER_REQUEST_ACTIVE, labels),
    time: histogramSeries(broker, METRIC.MOLECULER_REQUEST_TIME, labels),
  };
}

/**
 * Moleculer's metrics of calls under their own names (moleculer.request.*), at a fifth of the cost: series are looked
 * up once for each pair of action and caller. There are no quantiles and no levels; buckets answer the same questions.
 */
function countingCalls(broker: ServiceBroker, type: "local" | "remote") {
  return (next: Handler, action: Action): Handler => {
    const service = action.service?.fullName ?? null;
    const byCaller = new Map<string | null, Series>();
    const seriesOf = (caller: string | null): Series => {
      const known = byCaller.get(caller);
      if (known) return known;
      const series = open(broker, { service, action: action.name, type, caller });
      byCaller.set(caller, series);
      return series;
    };
    return function counted(ctx) {
      const series = seriesOf(ctx.caller);
      series.total(1);
      series.active(1);
      const startedAt = performance.now();
      const ended = () => {
        series.active(-1);
        series.time(performance.now() - startedAt);
      };
      return next(ctx).then(
        (result) => {
          ended();
          return result;
        },
        (error: { name?: string; code?: string; type?: string } | null) => {
          ended();
          const { name: errorName, code: errorCode, type: errorType } = error ?? {};
          const labels = { service, action: action.name, type, caller: ctx.caller, errorName, errorCode, errorType };
          broker.metrics.increment(METRIC.MOLECULER_REQUEST_ERROR_TOTAL, labels);
          throw error;
        },
      );
    };
  };
}

/** Moleculer's metrics middleware, with the part for calls replaced. */
export function actionMetrics(broker: ServiceBroker): Middleware {
  const { created, ...rest } = Middlewares.Metrics(broker);
  return {
    ...rest,
    created(of) {
      created?.(of);
      const time = broker.metrics.getMetric(METRIC.MOLECULER_REQUEST_TIME) as unknown as { description: string };
      broker.metrics.register({
        name: METRIC.MOLECULER_REQUEST_TIME,
        type: METRIC.TYPE_HISTOGRAM,
        labelNames: ["service", "action", "type", "caller"],
        buckets: timeBucketsMs,
        unit: METRIC.UNIT_MILLISECONDS,
        description: time.description,
      } as never);
    },
    localAction: countingCalls(broker, "local") as never,
    remoteAction: countingCalls(broker, "remote") as never,
  };
}
