import type { Service } from "moleculer";
import { limits } from "../config/limits.ts";
import type { JetStreamState } from "./jetstream.mixin.ts";
import type { MysqlState } from "./mysql.mixin.ts";
import type { RedisState } from "./redis.mixin.ts";

/** What a node's service says of what it depends on, by name: `true` where it works, else what is wrong with it. */
export type HealthReport = Record<string, true | string>;

/** Resolves where the dependency works, rejects with what is wrong with it. */
export type HealthCheck = () => Promise<unknown>;

export interface HealthState {
  healthChecks?: Map<string, HealthCheck>;
}

/** Adds a check to what the service's action `health` reports; a mixin calls it for what it has opened. */
export function addHealthCheck(service: Service & HealthState, name: string, check: HealthCheck): void {
  service.healthChecks ??= new Map();
  service.healthChecks.set(name, check);
}

async function outcomeOf(check: HealthCheck): Promise<true | string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, limits.http.healthNodeTimeoutMs / 2, "did not answer in time");
  });
  const answered = check().then(
    () => true as const,
    (error: unknown) => (error as Error | undefined)?.message || "failed",
  );
  return Promise.race([answered, late]).finally(() => clearTimeout(timer));
}

/**
 * Adds the action `health`, which the gateway's /health/ready asks. It runs the checks for what the service's mixins
 * opened, and those that were added by `addHealthCheck`.
 */
export const healthMixin = {
  actions: {
    health: {
      params: {},
      async handler(
        this: Service & HealthState & Partial<MysqlState & RedisState & JetStreamState>,
      ): Promise<HealthReport> {
        const { mysql, redis, jetstream, healthChecks } = this;
        const checks = new Map<string, HealthCheck>();
        if (mysql) checks.set("mysql", () => mysql.query("SELECT 1 AS alive"));
        if (redis) checks.set("redis", () => redis.ping());
        if (jetstream) checks.set("nats", () => jetstream.connection.flush());
        for (const [name, check] of healthChecks ?? []) checks.set(name, check);
        const reports = [...checks].map(async ([name, check]) => [name, await outcomeOf(check)] as const);
        return Object.fromEntries(await Promise.all(reports));
      },
    },
  },
};
