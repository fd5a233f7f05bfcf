import { pino } from "pino";
import { logDestination } from "../broker/log-destination.ts";
import { config } from "../config/config.ts";
import { acceptedChecks, refusing } from "../mixins/preflight/accepted.ts";
import { type CheckId, checks, type Finding } from "../mixins/preflight/checks.ts";
import { look } from "../mixins/preflight/look.ts";
import { refusalText } from "../mixins/preflight/shown.ts";
import { loginsOf } from "./preflight-logins.ts";

/** A node that does not start: for each reason its text has the check, the promise, the repair and what accepts it. */
export class Refused extends Error {}

/**
 * Looks at the servers of a node with these services, by their own logins, before anything is opened: at most
 * `limits.preflight.serverMs`. Each finding is a line in the log. A server that cannot be reached is none: the node
 * starts and is not ready. @throws Refused where a finding costs money and is not accepted
 */
export async function preflight(services: readonly string[]): Promise<void> {
  const accepted = acceptedChecks();
  const { findings, seen, unseen } = await look(loginsOf(services));
  const log = openLog();
  for (const { server, why } of unseen)
    log.warn({ server, why }, "preflight: this server could not be looked at: nothing is known of its settings");
  for (const finding of findings) {
    const about = { ...finding, promises: checks[finding.check].promises };
    log[levelOf(finding, accepted)](about, `preflight: ${finding.check}: ${finding.found}, wanted ${finding.wanted}`);
  }
  log.info({ servers: seen, findings: findings.length }, "preflight: the servers were looked at");
  const refused = refusing(findings, accepted);
  if (refused.length > 0) throw new Refused(refusalText(refused, accepted));
}

/**
 * In the local profile, beside a node that runs: one line in the log about what production would report. Rejects where
 * a URL cannot be read.
 */
export async function preflightNote(services: readonly string[]): Promise<void> {
  const log = openLog();
  if (!log.isLevelEnabled("info")) return;
  const { findings } = await look(loginsOf(services));
  const found = [...new Set(findings.map(({ check }) => check))];
  const money = [...new Set(refusing(findings, new Set()).map(({ check }) => check))];
  if (found.length === 0) return;
  log.info({ found, money }, "preflight: in production this would be reported, and money would stop the start");
}

const openLog = () => pino({ level: config().LOG_LEVEL, base: undefined }, logDestination(config().LOG_FILE));

function levelOf({ check, severity }: Finding, accepted: ReadonlySet<CheckId>): "error" | "warn" | "info" {
  if (severity === "note") return "info";
  return severity === "money" && !accepted.has(check) ? "error" : "warn";
}
