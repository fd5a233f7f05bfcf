import type { Service } from "moleculer";
import { limits } from "../config/limits.ts";
import type { JetStreamState } from "./jetstream.mixin.ts";
import type { MysqlState } from "./mysql.mixin.ts";
import type { RedisState } from "./redis.mixin.ts";

/** What a node's service says of its dependencies: `true` reachable, `false` not. */
export type HealthReport = Partial<Record<"mysql" | "redis" | "nats", boolean>>;

async function answers(check: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, limits.http.healthNodeTimeoutMs / 2, false);
  });
  const answered = check.then(
    () => true,
    () => false,
  );
  return Promise.race([answered, late]).finally(() => clearTimeout(timer));
}

/** Adds the action `health`, which the gateway's /health/ready asks: it looks at what the service's mixins opened. */
export const healthMixin = {
  actions: {
    health: {
      params: {},
      async handler(this: Service & Partial<MysqlState & RedisState & JetStreamState>): Promise<HealthReport> {
        const checks: [keyof HealthReport, Promise<boolean>][] = [];
        if (this.mysql) checks.push(["mysql", answers(this.mysql.query("SELECT 1 AS alive"))]);
        if (this.redis) checks.push(["redis", answers(this.redis.ping())]);
        if (this.jetstream) checks.push(["nats", answers(this.jetstream.connection.flush())]);
        const reports = await Promise.all(checks.map(async ([name, check]) => [name, await check] as const));
        return Object.fromEntries(reports);
      },
    },
  },
};
