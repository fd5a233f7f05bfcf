import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../config/root.ts";
import { apiUrl, scene } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { expressions } from "../support/observability.ts";
import { selectedBy } from "../support/promql.ts";

/** The labels of each metric of a scrape. */
function labelsOf(text: string): Map<string, Set<string>> {
  const labels = new Map<string, Set<string>>();
  for (const line of text.split("\n")) {
    const [, metric, list = ""] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (metric === undefined) continue;
    const known = labels.get(metric) ?? new Set();
    for (const [, label] of list.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)) known.add(label as string);
    labels.set(metric, known);
  }
  return labels;
}

const scrape = (token: string) => fetch(`${apiUrl()}/metrics`, { headers: { authorization: `Bearer ${token}` } });

/**
 * What a healthy system of the tests does not show: with the file that registers it, whose text has to have the name and
 * the labels.
 */
const seldom: Readonly<Record<string, string>> = {
  ovation_gate_breaker: "services/gift/gate/open-gate.ts",
  ovation_gate_gifts: "services/gift/gate/open-gate.ts",
  ovation_bus_refused: "broker/bus/refusals.ts",
  ovation_books_differences: "services/auditor/gauges.ts",
  moleculer_request_error_total: "broker/action-metrics.middleware.ts",
};

/** Labels that a file registers, or gives to a series by hand. */
function isInSource(metric: string, labels: readonly string[]): boolean {
  const text = readFileSync(join(projectRoot(), seldom[metric] as string), "utf8");
  if (metric.startsWith("moleculer_")) return labels.every((label) => new RegExp(`\\b${label}\\b`).test(text));
  const registered = [...text.matchAll(/labelNames: \[([^\]]*)\]/g)].map(([, names]) => names).join(", ");
  return (
    text.includes(`"${metric.replaceAll("_", ".")}"`) && labels.every((label) => registered.includes(`"${label}"`))
  );
}

test("GET /metrics of the running system has every metric and label that a panel or an alert names", async () => {
  const { anchor, fan, roomId } = await scene();
  const viewer = await anchor.enter(roomId);
  const orderId = await fan.sent(roomId, anchor.userId);
  await fan.settled(orderId);
  await viewer.saw(orderId);
  // A close code, and a gift that nobody pays for.
  anchor.leave();
  await fan.post("gift/send", { giftId: 25, roomId, receiverId: anchor.userId, count: 9_999 });
  expect((await scrape("another token")).status).not.toBe(200);
  const wanted = expressions().flatMap(({ where, expr }) => selectedBy(expr).map((one) => ({ where, ...one })));
  let missing: ReadonlySet<string> = new Set();
  await eventually(
    "every metric",
    async () => {
      const answer = await scrape(process.env.METRICS_TOKEN ?? "");
      expect(answer.status).toBe(200);
      const there = labelsOf(await answer.text());
      const lacks = wanted.flatMap(({ where, metric, labels }) => {
        const known = there.get(metric);
        if (!known && metric in seldom) return isInSource(metric, labels) ? [] : [`${where}: ${metric} ${labels}`];
        if (!known) return [`${where}: ${metric}`];
        return labels
          .filter((label) => !known.has(label) && !(metric in seldom))
          .map((label) => `${where}: ${metric} by ${label}`);
      });
      missing = new Set(lacks);
      return missing.size === 0;
    },
    20_000,
  ).catch((cause: Error) => {
    throw new Error(`${cause.message}, missing: ${[...missing].join("; ")}`, { cause });
  });
});
