import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { projectRoot } from "../../config/root.ts";

/** The files of observability/, as Prometheus and Grafana read them. */

export interface Alert {
  alert: string;
  expr: string;
  for: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook_url: string };
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { h: number; w: number; x: number; y: number };
  fieldConfig?: { defaults: { unit?: string } };
  targets?: { expr: string; legendFormat: string }[];
}

interface Dashboard {
  title: string;
  uid: string;
  schemaVersion: number;
  panels: Panel[];
  templating: { list: { name: string; type: string; definition?: string }[] };
}

const read = (file: string) => readFileSync(join(projectRoot(), file), "utf8");

export const alerts = (): Alert[] =>
  (parse(read("observability/alerts.yml")) as { groups: { rules: Alert[] }[] }).groups.flatMap(({ rules }) => rules);

export const dashboard = (): Dashboard => JSON.parse(read("observability/dashboard.json")) as Dashboard;

/** Every expression, with where it stands. */
export function expressions(): { where: string; expr: string }[] {
  return [
    ...alerts().map(({ alert, expr }) => ({ where: alert, expr })),
    ...dashboard().panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ where: title, expr }))),
    ...dashboard().templating.list.flatMap(({ name, definition }) => {
      const [, expr, label] = /^label_values\((.+),\s*(\w+)\)$/.exec(definition ?? "") ?? [];
      return expr ? [{ where: `variable ${name}`, expr: `sum by (${label}) (${expr})` }] : [];
    }),
  ].map(({ where, expr }) => ({ where, expr: expr.replaceAll("$node", ".+") }));
}

/** The runbook's sections: the title, and its items by their bold word. */
export function runbook(): { title: string; items: Record<string, string> }[] {
  const [, ...sections] = read("docs/runbook.md").split(/^### /m);
  return sections.map((section) => {
    const [title = "", ...rest] = (section.split(/^## /m)[0] as string).split("\n");
    const items = rest
      .join("\n")
      .split(/^- \*\*/m)
      .slice(1)
      .map((item) => {
        const [, name = "", text = ""] = /^(\w+)\.\*\* ([\s\S]*)$/.exec(item) ?? [];
        return [name, text.replaceAll(/\s+/g, " ").trim()] as const;
      });
    return { title, items: Object.fromEntries(items) };
  });
}
