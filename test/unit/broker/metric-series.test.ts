import { ServiceBroker } from "moleculer";
import { countSeries, histogramSeries } from "../../../broker/metric-series.ts";

const broker = new ServiceBroker({ logger: false, metrics: { enabled: true, reporter: [] } });
const listed = (name: string) =>
  broker.metrics.list({ includes: name })[0]?.values as unknown as Record<string, unknown>[];

test("what is counted on a series is listed as if it had been counted by name", () => {
  broker.metrics.register({ name: "gifts", type: "counter", labelNames: ["kind"] });
  const count = countSeries(broker, "gifts", { kind: "rose" });
  count(2);
  broker.metrics.increment("gifts", { kind: "rose" }, 3);
  countSeries(broker, "gifts", { kind: "rose" })(1);
  countSeries(broker, "gifts", { kind: "car" });
  expect(listed("gifts")).toMatchObject([
    { labels: { kind: "rose" }, value: 6 },
    { labels: { kind: "car" }, value: 0 },
  ]);
});

test("a histogram's buckets hold what is at most their bound, and opening a series is no observation", () => {
  broker.metrics.register({ name: "times", type: "histogram", labelNames: ["route"], buckets: [1, 5, 10] } as never);
  const observe = histogramSeries(broker, "times", { route: "a" });
  expect(listed("times")).toMatchObject([{ count: 0, sum: 0, buckets: { 1: 0, 5: 0, 10: 0 } }]);
  for (const ms of [0.5, 1, 5, 7, 11]) observe(ms);
  histogramSeries(broker, "times", { route: "a" })(3);
  broker.metrics.observe("times", 2, { route: "a" });
  expect(listed("times")).toMatchObject([{ count: 7, sum: 29.5, buckets: { 1: 2, 5: 5, 10: 6 } }]);
});
