import type { Service } from "moleculer";
import { busProblem } from "../broker/bus/own-subjects.ts";
import { limits } from "../config/limits.ts";

/**
 * The state of a service's dependencies by name: `true` where it works; a text where it fails and the service is not
 * ready; `degraded` with a text where it fails and the service works without it.
 */
export type HealthReport = Record<string, true | string | { degraded: string }>;

/**
 * Resolves where the dependency works, rejects with the cause where it does not; with `Degraded` where the service
 * works on all the same.
 */
export type HealthCheck = () => Promise<unknown>;

/** What a check rejects with where its service works on, and somebody should look. */
export class Degraded extends Error {}

interface KeptCheck {
  readonly check: HealthCheck;
  readonly degrades: boolean;
  /** The check in progress. A hanging check is shared, not started again. */
  running?: Promise<HealthReport[string]>;
}

export interface HealthState {
  healthChecks?: Map<string, KeptCheck>;
  /** Of a service's part on a further server (mysql/server-view.ts): it stands behind the names of its checks. */
  healthSuffix?: string;
}

interface Kept extends HealthState {
  lastReport?: { at: number; report: Promise<HealthReport> };
}

/**
 * Adds a check to the action `health`; a mixin calls it for each resource that it opened. While the check fails, the
 * service is not ready, or degraded where the check `degrades`.
 */
export function addHealthCheck(
  service: Service & HealthState,
  name: string,
  check: HealthCheck,
  { degrades }: { degrades: boolean } = { degrades: false },
): void {
  service.healthChecks ??= new Map();
  const { healthSuffix: suffix } = service;
  service.healthChecks.set(suffix === undefined ? name : `${name} ${suffix}`, { check, degrades });
}

function wrongWith(error: unknown): string {
  const { data, message } = (error ?? {}) as { data?: { cause?: unknown }; message?: string };
  return (typeof data?.cause === "string" && data.cause) || message || "failed";
}

async function outcomeOf(kept: KeptCheck): Promise<HealthReport[string]> {
  let timer: NodeJS.Timeout | undefined;
  const failed = (text: string) => (kept.degrades ? { degraded: text } : text);
  const late = new Promise<HealthReport[string]>((resolve) => {
    timer = setTimeout(resolve, limits.http.healthNodeTimeoutMs / 2, failed("did not answer in time"));
  });
  kept.running ??= kept
    .check()
    .then(
      () => true as const,
      (error: unknown) => (error instanceof Degraded ? { degraded: error.message } : failed(wrongWith(error))),
    )
    .finally(() => {
      kept.running = undefined;
    });
  return Promise.race([kept.running, late]).finally(() => clearTimeout(timer));
}

async function runChecks({ broker, healthChecks = new Map() }: Service & HealthState): Promise<HealthReport> {
  const reports = [...healthChecks].map(async ([name, kept]) => [name, await outcomeOf(kept)] as const);
  const bus = busProblem(broker);
  return { ...Object.fromEntries(await Promise.all(reports)), ...(bus === undefined ? {} : { bus }) };
}

/**
 * Adds the action `health`, which the gateway's /health/ready calls. It runs the checks of `addHealthCheck`; calls
 * within `limits.http.healthKeptMs` share one run.
 */
export const healthMixin = {
  actions: {
    health: {
      handler(this: Service & Kept): Promise<HealthReport> {
        const now = performance.now();
        if (!this.lastReport || now - this.lastReport.at >= limits.http.healthKeptMs)
          this.lastReport = { at: now, report: runChecks(this) };
        return this.lastReport.report;
      },
    },
  },
};
