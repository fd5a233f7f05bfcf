import type { ServiceBroker } from "moleculer";
import { type Count, countSeries } from "../../../broker/metric-series.ts";
import { limits } from "../../../config/limits.ts";
import { serverApiBase } from "./server-endpoint.ts";

const requests = "ovation.server_api.requests";

/** The labels of requests without a valid key, and of the keys beyond `limits.platform.keysInMetrics`. */
const noKey = "none";
const otherKeys = "other";

interface EndedRequest {
  readonly route: string;
  readonly keyId: string | undefined;
  readonly status: number;
}

/** Registers the metric of API keys. The returned function counts a request that has ended, if it is of the server API. */
export function registerKeyMetrics(broker: ServiceBroker): (request: EndedRequest) => void {
  broker.metrics.register({
    name: requests,
    type: "counter",
    labelNames: ["keyId", "status"],
    description: "Requests of the server API by API key and HTTP status",
  });
  const labels = new Set<string>();
  const counts = new Map<string, Count>();
  const labelOf = (keyId: string) => {
    if (!labels.has(keyId) && labels.size >= limits.platform.keysInMetrics) return otherKeys;
    labels.add(keyId);
    return keyId;
  };
  return ({ route, keyId, status }) => {
    if (!route.startsWith(serverApiBase)) return;
    const label = keyId === undefined ? noKey : labelOf(keyId);
    const series = `${label} ${status}`;
    const count = counts.get(series) ?? countSeries(broker, requests, { keyId: label, status });
    counts.set(series, count);
    count(1);
  };
}
