import type { Service } from "moleculer";
import { afterAnswers } from "../broker/after-answers.ts";
import { busProblem } from "../broker/bus/own-subjects.ts";
import { limits } from "../config/limits.ts";
import { type AbilityState, watchAbility } from "./ability.ts";
import { failedCheck, type HealthReport, type HealthState, type KeptCheck, runCheck } from "./health-checks.ts";

export { addHealthCheck, Degraded, type HealthCheck, type HealthReport, type HealthState } from "./health-checks.ts";

interface Kept extends HealthState {
  lastReport?: { at: number; report: Promise<HealthReport> };
}

async function outcomeOf(kept: KeptCheck): Promise<HealthReport[string]> {
  const late = Promise.withResolvers<HealthReport[string]>();
  const callOff = afterAnswers(limits.http.healthNodeTimeoutMs / 2, () =>
    late.resolve(failedCheck(kept, "did not answer in time")),
  );
  return Promise.race([runCheck(kept), late.promise]).finally(callOff);
}

async function runChecks({ broker, healthChecks = new Map() }: Service & HealthState): Promise<HealthReport> {
  const reports = [...healthChecks].map(async ([name, kept]) => [name, await outcomeOf(kept)] as const);
  const bus = busProblem(broker);
  return { ...Object.fromEntries(await Promise.all(reports)), ...(bus === undefined ? {} : { bus }) };
}

/**
 * Adds the action `health`, which the gateway's /health/ready calls. It runs the checks of `addHealthCheck`; calls
 * within `limits.http.healthKeptMs` share one run. Other nodes are told where a check fails for long (ability.ts).
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
  started(this: Service & AbilityState) {
    watchAbility(this);
  },
  stopped(this: Service & AbilityState) {
    this.ability?.stop();
  },
};
