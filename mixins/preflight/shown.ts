import { type CheckId, type Finding, promisesOf } from "./checks.ts";

/** Findings for people. Pure. */

/** A finding in several lines. */
export function shownFinding(finding: Finding, accepted: ReadonlySet<CheckId>): string {
  const { check, severity, server, found, wanted, risk, repair } = finding;
  const taken = severity === "money" && accepted.has(check) ? ", accepted" : "";
  const lines: [string, string][] = [
    ["found", found],
    ["wanted", wanted],
    ["risk", risk],
    ["promise", promisesOf(check)],
    ["repair", repair],
    ...(severity === "money" && !taken ? ([["accept", `PREFLIGHT_ACCEPT=${check}`]] as [string, string][]) : []),
  ];
  return [
    `${check} (${severity}${taken}) at ${server}`,
    ...lines.map(([what, text]) => `  ${what.padEnd(8)} ${text}`),
  ].join("\n");
}

/** Why a node does not start, for each finding what to do; and what accepts them all, with what is accepted already. */
export function refusalText(refusing: readonly Finding[], accepted: ReadonlySet<CheckId>): string {
  const all = [...new Set([...accepted, ...refusing.map(({ check }) => check)])];
  return [
    "This node does not start: what its servers are set to would cost money (docs/operating.md, Preflight).",
    ...refusing.map((finding) => shownFinding(finding, accepted)),
    `Repair it, or accept the risk for every node: PREFLIGHT_ACCEPT=${all.join(",")}`,
  ].join("\n\n");
}
