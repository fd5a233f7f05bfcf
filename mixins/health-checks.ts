import type { Service } from "moleculer";

/** What a service checks of its dependencies. */

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

export interface KeptCheck {
  readonly check: HealthCheck;
  readonly degrades: boolean;
  /** It asks a server: where that does not answer this node, others may do the work (ability.ts). */
  readonly asksServer: boolean;
  /** The check in progress. A hanging check is shared, not started again. */
  running?: Promise<HealthReport[string]>;
}

export interface HealthState {
  healthChecks?: Map<string, KeptCheck>;
  /** Of a service's part on a further server (mysql/server-view.ts): it stands behind the names of its checks. */
  healthSuffix?: string;
}

/**
 * Adds a check to the action `health`; a mixin calls it for each resource that it opened. While the check fails, the
 * service is not ready, or degraded where the check `degrades`.
 */
export function addHealthCheck(
  service: Service & HealthState,
  name: string,
  check: HealthCheck,
  { degrades = false, asksServer = false }: Partial<Pick<KeptCheck, "degrades" | "asksServer">> = {},
): void {
  service.healthChecks ??= new Map();
  const { healthSuffix: suffix } = service;
  service.healthChecks.set(suffix === undefined ? name : `${name} ${suffix}`, { check, degrades, asksServer });
}

function wrongWith(error: unknown): string {
  const { data, message } = (error ?? {}) as { data?: { cause?: unknown }; message?: string };
  return (typeof data?.cause === "string" && data.cause) || message || "failed";
}

/** What a check that failed says in the report. */
export const failedCheck = ({ degrades }: KeptCheck, text: string): HealthReport[string] =>
  degrades ? { degraded: text } : text;

/** Runs a check, or joins its run in progress: one that hangs is not started again. Never rejects. */
export function runCheck(kept: KeptCheck): Promise<HealthReport[string]> {
  kept.running ??= kept
    .check()
    .then(
      () => true as const,
      (error: unknown) =>
        error instanceof Degraded ? { degraded: error.message } : failedCheck(kept, wrongWith(error)),
    )
    .finally(() => {
      kept.running = undefined;
    });
  return kept.running;
}
