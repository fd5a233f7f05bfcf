import type { Service } from "moleculer";
import { limits } from "../config/limits.ts";

/**
 * What a node's service says of what it depends on, by name: `true` where it works, what is wrong with it where the
 * service is not ready for it, and `degraded` where the service does its job without it.
 */
export type HealthReport = Record<string, true | string | { degraded: string }>;

/** Resolves where the dependency works, rejects with what is wrong with it. */
export type HealthCheck = () => Promise<unknown>;

interface KeptCheck {
  readonly check: HealthCheck;
  readonly degrades: boolean;
  /** The check in progress. A hanging check is shared, not started again. */
  running?: Promise<true | string>;
}

export interface HealthState {
  healthChecks?: Map<string, KeptCheck>;
}

interface Kept extends HealthState {
  lastReport?: { at: number; report: Promise<HealthReport> };
}

/**
 * Adds a check to what the service's action `health` reports; a mixin calls it for what it has opened. A service without
 * it is not ready, or, where it `degrades`, does its job in a lesser way.
 */
export function addHealthCheck(
  service: Service & HealthState,
  name: string,
  check: HealthCheck,
  { degrades }: { degrades: boolean } = { degrades: false },
): void {
  service.healthChecks ??= new Map();
  service.healthChecks.set(name, { check, degrades });
}

function wrongWith(error: unknown): string {
  const { data, message } = (error ?? {}) as { data?: { cause?: unknown }; message?: string };
  return (typeof data?.cause === "string" && data.cause) || message || "failed";
}

async function outcomeOf(kept: KeptCheck): Promise<true | string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, limits.http.healthNodeTimeoutMs / 2, "did not answer in time");
  });
  kept.running ??= kept
    .check()
    .then(() => true as const, wrongWith)
    .finally(() => {
      kept.running = undefined;
    });
  return Promise.race([kept.running, late]).finally(() => clearTimeout(timer));
}

async function runChecks({ healthChecks = new Map() }: HealthState): Promise<HealthReport> {
  const reports = [...healthChecks].map(async ([name, kept]) => {
    const outcome = await outcomeOf(kept);
    return [name, outcome !== true && kept.degrades ? { degraded: outcome } : outcome] as const;
  });
  return Object.fromEntries(await Promise.all(reports));
}

/**
 * Adds the action `health`, which the gateway's /health/ready asks. It runs the checks that were added by
 * `addHealthCheck`, once for all who ask within `limits.http.healthKeptMs`.
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
