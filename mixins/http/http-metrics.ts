import type { ServiceBroker } from "moleculer";
import { type Count, countSeries, histogramSeries, type Observe, timeBucketsMs } from "../../broker/metric-series.ts";

const requests = "ovation.http.requests";
const requestTime = "ovation.http.request.time";

type CountRequest = (about: { route: string; status: number; code: number; ms: number }) => void;

/** Registers the metrics of a gateway's requests beside Moleculer's. The returned function counts a request that has ended. */
export function registerHttpMetrics(broker: ServiceBroker): CountRequest {
  broker.metrics.register({
    name: requests,
    type: "counter",
    labelNames: ["route", "status", "code"],
    description: "HTTP requests by route, status and code of the envelope",
  });
  broker.metrics.register({
    name: requestTime,
    type: "histogram",
    labelNames: ["route"],
    buckets: timeBucketsMs,
    unit: "millisecond",
    description: "Time from a request's headers to the end of its answer",
  } as never);
  const counts = new Map<string, Count>();
  const times = new Map<string, Observe>();
  return ({ route, status, code, ms }) => {
    const key = `${route} ${status} ${code}`;
    const count = counts.get(key) ?? countSeries(broker, requests, { route, status, code });
    counts.set(key, count);
    const time = times.get(route) ?? histogramSeries(broker, requestTime, { route });
    times.set(route, time);
    count(1);
    time(ms);
  };
}
