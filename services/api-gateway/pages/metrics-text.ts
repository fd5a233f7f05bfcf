/** Converts Moleculer's metrics, as `$node.metrics` lists them, into Prometheus' text format 0.0.4. */

import { shown } from "../../../broker/unknown-values.ts";

type Labels = Record<string, unknown>;

interface Sample {
  labels?: Labels;
  value?: unknown;
  count?: number;
  sum?: number;
  buckets?: Record<string, number>;
}

export interface Metric {
  type: string;
  name: string;
  description?: string;
  unit?: string;
  values: Sample[];
}

export interface NodeMetrics {
  node: string;
  metrics: Metric[];
}

interface Family {
  type: "counter" | "gauge" | "histogram";
  help: string;
  /** By name and labels: series whose labels differ only in type are one series. */
  series: Map<string, number>;
}

const escapeLabel = (value: string) => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
const escapeHelp = (value: string) => value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");

function metricName(name: string): string {
  const safe = name.replaceAll(/[^A-Za-z0-9_:]/g, "_");
  return /^\d/.test(safe) ? `_${safe}` : safe;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).filter(([, value]) => value !== null && value !== undefined && value !== "");
  if (pairs.length === 0) return "";
  const text = pairs.map(
    ([name, value]) => `${metricName(name).replaceAll(":", "_")}="${escapeLabel(shown(value, 500))}"`,
  );
  return `{${text.join(",")}}`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "+Inf" : "-Inf";
}

function familyType({ type }: Metric): Family["type"] {
  return type === "counter" || type === "histogram" ? type : "gauge";
}

function put(family: Family, series: string, value: unknown): void {
  if (typeof value !== "number") return;
  // Only counters may be added up; of two gauges the later one counts.
  const before = family.type === "gauge" ? 0 : (family.series.get(series) ?? 0);
  family.series.set(series, before + value);
}

/** Moleculer's buckets are cumulative already. Its quantiles, which cover one node's last seconds, are left out. */
function putHistogram(family: Family, name: string, labels: Labels, sample: Sample): void {
  const bounds = Object.entries(sample.buckets ?? {}).sort(([a], [b]) => Number(a) - Number(b));
  for (const [le, count] of bounds) put(family, `${name}_bucket${labelText({ ...labels, le })}`, count);
  put(family, `${name}_bucket${labelText({ ...labels, le: "+Inf" })}`, sample.count);
  put(family, `${name}_sum${labelText(labels)}`, sample.sum);
  put(family, `${name}_count${labelText(labels)}`, sample.count);
}

function putMetric(family: Family, name: string, node: string, metric: Metric): void {
  for (const sample of metric.values) {
    const labels = { node, ...sample.labels };
    if (metric.type === "info") put(family, `${name}${labelText({ ...labels, value: sample.value })}`, 1);
    else if (metric.type === "histogram") putHistogram(family, name, labels, sample);
    else put(family, `${name}${labelText(labels)}`, sample.value);
  }
}

/** One family for each metric of all nodes: help and type once, its series together, as the format requires. */
export function metricsText(nodes: readonly NodeMetrics[]): string {
  const families = new Map<string, Family>();
  for (const { node, metrics } of nodes) {
    for (const metric of metrics) {
      if (metric.values.length === 0) continue;
      const name = metricName(metric.name);
      const type = familyType(metric);
      const help = (metric.description ?? metric.name) + (metric.unit ? ` (${metric.unit})` : "");
      const family: Family = families.get(name) ?? { type, help, series: new Map() };
      // Two metrics whose names differ only in punctuation cannot share a family with one type.
      if (family.type !== type) continue;
      families.set(name, family);
      putMetric(family, name, node, metric);
    }
  }
  const lines: string[] = [];
  for (const [name, { type, help, series }] of families) {
    if (series.size === 0) continue;
    lines.push(`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`);
    for (const [key, value] of series) lines.push(`${key} ${numberText(value)}`);
  }
  return `${lines.join("\n")}\n`;
}
