import type { ServiceBroker } from "moleculer";

/**
 * Series of Moleculer's metrics that are looked up once and then counted directly. Moleculer's registry looks up the
 * labels at each count, which costs more than many actions. `$node.metrics` lists the same values except the rate,
 * which readers can compute.
 */

type Labels = Record<string, string | number | null | undefined>;

interface CountedItem {
  value: number;
}

interface ObservedItem {
  sum: number;
  count: number;
  lastValue: number | null;
  bucketValues?: Record<number, number>;
}

/** The parts of a registered metric that are missing in Moleculer's types. */
interface RegisteredMetric<Item> {
  buckets?: number[];
  get(labels: Labels): Item | undefined;
  /** The list of values is made again at its next request. */
  setDirty(): void;
}

interface RegisteredCounter extends RegisteredMetric<CountedItem> {
  increment(labels: Labels, value: number): CountedItem;
}

interface RegisteredHistogram extends RegisteredMetric<ObservedItem> {
  reset(labels: Labels): void;
  observe(value: number, labels: Labels): ObservedItem;
}

/** Upper bounds of the buckets for times, milliseconds. */
export const timeBucketsMs = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000];

/** Counts up or down. */
export type Count = (by: number) => void;
/** Observes a measured value, in the metric's unit. */
export type Observe = (value: number) => void;

/** A series of a counter or gauge that is registered under this name. */
export function countSeries(broker: ServiceBroker, name: string, labels: Labels): Count {
  const metric = broker.metrics.getMetric(name) as unknown as RegisteredCounter;
  const item = metric.increment(labels, 0);
  return (by) => {
    item.value += by;
    metric.setDirty();
  };
}

/** A series of a histogram that is registered under this name with buckets and without quantiles. */
export function histogramSeries(broker: ServiceBroker, name: string, labels: Labels): Observe {
  const metric = broker.metrics.getMetric(name) as unknown as RegisteredHistogram;
  const bounds = metric.buckets ?? [];
  const known = metric.get(labels);
  const item = known ?? metric.observe(0, labels);
  // Opening a series is not an observation.
  if (!known) metric.reset(labels);
  return (value) => {
    item.sum += value;
    item.count++;
    item.lastValue = value;
    const { bucketValues } = item;
    if (bucketValues) {
      // The buckets are cumulative.
      for (let i = bounds.length - 1; i >= 0; i--) {
        const bound = bounds[i] as number;
        if (value > bound) break;
        bucketValues[bound] = (bucketValues[bound] ?? 0) + 1;
      }
    }
    metric.setDirty();
  };
}
