import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { serviceNames } from "../../../broker/service-names.ts";
import { projectRoot } from "../../../config/root.ts";
import { staffEndpoints } from "../../../services/admin-gateway/endpoints/all.ts";
import { serverEndpoints } from "../../../services/api-gateway/server/all.ts";
import { alerts, dashboard, expressions, runbook } from "../../support/observability.ts";
import { selectedBy } from "../../support/promql.ts";

describe("the alerts", () => {
  test("have a time, a severity, a summary, a description and a place in the runbook each, and a name of their own", () => {
    const all = alerts();
    expect(all.length).toBeGreaterThan(40);
    expect(new Set(all.map(({ alert }) => alert)).size).toBe(all.length);
    for (const { alert, labels, annotations, ...rule } of all) {
      expect([alert, labels.severity]).toEqual([alert, expect.stringMatching(/^(critical|warning)$/)]);
      expect([alert, rule.for]).toEqual([alert, expect.stringMatching(/^\d+[smh]$/)]);
      expect([alert, annotations.runbook_url]).toEqual([alert, `docs/runbook.md#${alert.toLowerCase()}`]);
      for (const text of [annotations.summary, annotations.description])
        expect([alert, text?.length > 10]).toEqual([alert, true]);
    }
  });

  test("have a section in the runbook each, and every section has an alert, in their order", () => {
    expect(runbook().map(({ title }) => title)).toEqual(alerts().map(({ alert }) => alert));
  });

  test("name only labels in their texts that their expression keeps", () => {
    for (const { alert, expr, annotations } of alerts()) {
      const used = Object.values(annotations).flatMap((text) =>
        [...text.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label as string),
      );
      // Without an aggregation the labels of the series stay.
      const kept = / by \(/.test(expr) ? selectedBy(expr).flatMap(({ labels }) => labels) : ["node"];
      for (const label of used) expect([alert, kept]).toEqual([alert, expect.arrayContaining([label])]);
    }
  });
});

describe("the runbook", () => {
  const text = readFileSync(join(projectRoot(), "docs/runbook.md"), "utf8");
  const { scripts } = JSON.parse(readFileSync(join(projectRoot(), "package.json"), "utf8")) as { scripts: object };

  test("says of each alert what it means, what users notice, where to look, what to do and when it ends", () => {
    for (const { title, items } of runbook()) {
      expect([title, Object.keys(items)]).toEqual([title, ["Means", "Users", "Look", "Do", "Heals"]]);
      for (const item of Object.values(items)) expect([title, item.length > 5]).toEqual([title, true]);
    }
  });

  test("names commands, routes and services that exist", () => {
    const code = [...text.matchAll(/`([^`\n]+)`/g)].map(([, one]) => one as string);
    const commands = code.flatMap((one) => /^npm run (?:-s )?([\w-]+)/.exec(one)?.[1] ?? []);
    expect(commands.length).toBeGreaterThan(20);
    for (const command of commands) expect(Object.keys(scripts)).toContain(command);
    const routes = code.flatMap((one) => /^POST (\/live\/admin\/\w\S+)/.exec(one)?.[1] ?? []);
    expect(routes.length).toBeGreaterThan(10);
    const paths = staffEndpoints.map(({ path }) => path);
    for (const route of routes) expect(paths).toContain(route);
    const ofServer = code.flatMap((one) => /^(webhooks\/\w+)$/.exec(one)?.[1] ?? []);
    for (const path of ofServer) expect(serverEndpoints.map((one) => one.path)).toContain(`/live/server/v1/${path}`);
    const nodes = code.flatMap((one) => /^npm run node -- (\S+)/.exec(one)?.[1] ?? []);
    for (const name of nodes) if (name !== "NAME") expect(serviceNames).toContain(name);
  });

  test("names metrics that an expression of the dashboard or of an alert has too", () => {
    const metrics = new Set(expressions().flatMap(({ expr }) => selectedBy(expr).map(({ metric }) => metric)));
    const named = [...text.matchAll(/`((?:ovation|moleculer)_\w+)`/g)].map(([, name]) => name as string);
    expect(named.length).toBeGreaterThan(10);
    const known = (name: string) => metrics.has(name) || metrics.has(`${name}_bucket`);
    expect(named.filter((name) => !known(name) && !seldomShown.has(name))).toEqual([]);
  });

  /** Only in texts: panels would show one number each. */
  const seldomShown = new Set([
    "ovation_books_rows_rate",
    "ovation_gate_call_time",
    "ovation_gate_calls",
    "ovation_sms_refused",
  ]);
});

describe("the dashboard", () => {
  const { panels, schemaVersion } = dashboard();

  test("has a unit and a description for each panel, ids of their own, and rows for every subject", () => {
    expect(schemaVersion).toBeGreaterThanOrEqual(39);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const rows = panels.filter(({ type }) => type === "row").map(({ title }) => title);
    expect(rows).toEqual([
      ...["Promises: money", "The path of a gift", "Rooms", "Payments", "HTTP"],
      ...["Servers: NATS, Redis, MySQL", "Nodes"],
    ]);
    for (const { type, title, description, fieldConfig, targets } of panels) {
      if (type === "row") continue;
      expect([title, description]).toEqual([title, expect.stringMatching(/\.$/)]);
      expect([title, fieldConfig?.defaults.unit]).toEqual([title, expect.stringMatching(/^\w+$/)]);
      expect([title, (targets?.length ?? 0) > 0]).toEqual([title, true]);
    }
  });

  test("has no two panels in one place", () => {
    const cells = new Set<string>();
    for (const {
      title,
      gridPos: { x, y, w, h },
    } of panels)
      for (let column = x; column < x + w; column++)
        for (let line = y; line < y + h; line++) {
          expect([title, column < 24, cells.has(`${column} ${line}`)]).toEqual([title, true, false]);
          cells.add(`${column} ${line}`);
        }
  });
});

test("every expression is PromQL, and names at least one metric", () => {
  expect(expressions().length).toBeGreaterThan(100);
  for (const { where, expr } of expressions()) expect([where, selectedBy(expr).length > 0]).toEqual([where, true]);
  expect(() => selectedBy("sum(ovation_node_up")).toThrow("no PromQL");
  expect(selectedBy('sum by (le) (rate(a_bucket{code="1"}[5m])) / b')).toEqual([
    { metric: "a_bucket", labels: ["code", "le"] },
    { metric: "b", labels: [] },
  ]);
});

test("the scrape asks the gateway's path with a token, and reads the alerts", () => {
  const { scrape_configs: jobs, rule_files: rules } = parse(
    readFileSync(join(projectRoot(), "observability/scrape.yml"), "utf8"),
  );
  expect(jobs[0]).toMatchObject({ metrics_path: "/metrics", authorization: { type: "Bearer" } });
  expect(rules).toEqual(["alerts.yml"]);
});

test("the metrics that operating documents are registered somewhere", () => {
  const text = readFileSync(join(projectRoot(), "docs/operating.md"), "utf8");
  const documented = new Set([...text.matchAll(/`(ovation_[a-z_]+)/g)].map(([, name]) => name as string));
  const sources = ["broker", "mixins", "services"].flatMap((folder) =>
    (readdirSync(join(projectRoot(), folder), { recursive: true }) as string[])
      .filter((file) => file.endsWith(".ts"))
      .map((file) => readFileSync(join(projectRoot(), folder, file), "utf8")),
  );
  const registered = new Set(
    sources.flatMap((source) =>
      [...source.matchAll(/"(ovation[._][a-z._]+)"/g)].map(([, name]) => name?.replaceAll(".", "_")),
    ),
  );
  // `ovation_wallet` is a database.
  const unknown = [...documented].filter((name) => !registered.has(name) && !/^ovation_(wallet|readers?)$/.test(name));
  expect(unknown).toEqual([]);
});
