import type { Service } from "moleculer";
import { config, databaseName, serviceUrl } from "../config/config.ts";
import { addHealthCheck, type HealthState } from "./health.mixin.ts";
import { Database, type DatabaseOptions } from "./mysql/database.ts";
import { migrate, requireMigrated } from "./mysql/migrate.ts";

/** The state that the mixin adds to a service. */
export interface MysqlState {
  mysql: Database;
}

const retriesCounter = {
  name: "ovation.database.retries",
  labelNames: ["service"],
  description: "Statements and transactions that were run again after a deadlock or a lock wait",
} as const;

/**
 * A service's own database, open from its start to its stop. In the local profile it is migrated at the start. Elsewhere
 * a node refuses to start on a database with missing migrations (`npm run migrate` is a step of a deployment).
 */
export function mysqlMixin(
  service: string,
  migrationFolders: readonly string[],
  options: Omit<DatabaseOptions, "gaveUp" | "retried" | "url"> = {},
) {
  return {
    async started(this: Service & MysqlState & HealthState) {
      const name = databaseName(service);
      const { metrics } = this.broker;
      metrics.register({ type: "counter", ...retriesCounter, labelNames: [...retriesCounter.labelNames] });
      const countRetries = (by: number) => metrics.increment(retriesCounter.name, { service }, by);
      countRetries(0);
      if (config().PROFILE === "local") await migrate(name, migrationFolders);
      this.mysql = new Database(name, {
        ...options,
        url: serviceUrl("MYSQL_URL", service),
        retried: () => countRetries(1),
        gaveUp: (why) =>
          this.logger.warn({ database: name, why }, "all connections to the database are closed: new ones are opened"),
      });
      await requireMigrated(this.mysql, migrationFolders);
      addHealthCheck(this, "mysql", () => this.mysql.requireWorking());
    },
    async stopped(this: Service & Partial<MysqlState>) {
      await this.mysql?.close();
    },
  };
}
