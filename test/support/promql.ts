import type { SyntaxNode } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";

/** A metric of an expression, and the labels by which it is filtered or grouped. */
export interface Selected {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** The nodes of a kind in a node, at any depth, in the order of the text. */
function within(node: SyntaxNode, name: string): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (child.name === name) found.push(child);
    found.push(...within(child, name));
  }
  return found;
}

/** The labels of `by` of the aggregations around a node. */
function groupedBy(node: SyntaxNode): SyntaxNode[] {
  const labels: SyntaxNode[] = [];
  for (let around = node.parent; around; around = around.parent) {
    const modifier = around.name === "AggregateExpr" ? around.getChild("AggregateModifier") : null;
    if (modifier?.getChild("By")) labels.push(...within(modifier, "LabelName"));
  }
  return labels;
}

/**
 * The metrics that an expression names, each with the labels of its matchers and of the `by` of the aggregations around
 * it. @throws Error where the text is no PromQL
 */
export function selectedBy(expr: string): Selected[] {
  const { topNode } = parser.parse(expr);
  const textOf = ({ from, to }: SyntaxNode) => expr.slice(from, to);
  const [wrong] = within(topNode, "⚠");
  if (wrong) throw new Error(`no PromQL at ${wrong.from}: ${expr}`);
  return within(topNode, "VectorSelector").map((selector) => {
    const metric = selector.getChild("Identifier");
    if (!metric) throw new Error(`a selector without a metric: ${textOf(selector)}`);
    const labels = [...within(selector, "LabelName"), ...groupedBy(selector)].map(textOf);
    return { metric: textOf(metric), labels: [...new Set(labels)] };
  });
}
