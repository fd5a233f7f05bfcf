import type { Service } from "moleculer";
import { tellSchema } from "../broker/releases.ts";
import { config, databaseName, hasOwnLogin, serviceUrl } from "../config/config.ts";
import { addHealthCheck, type HealthState } from "./health.mixin.ts";
import { Database, type DatabaseOptions } from "./mysql/database.ts";
import { migrate } from "./mysql/migrate.ts";
import { missingMigrations, requireSchema } from "./mysql/schema.ts";

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
 * A service's own database, open from its start to its stop. A node refuses to start on a schema that is too old
 * or too new for its release (mysql/schema.ts). Migrations are applied before, by a login of their own (`npm start`,
 * `npm run cluster`, `npm run migrate`). Only in the local profile, where the service has no login of its own, the node applies them itself.
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
      this.mysql = new Database(name, {
        ...options,
        url: serviceUrl("MYSQL_URL", service),
        retried: () => countRetries(1),
        gaveUp: (why) =>
          this.logger.warn({ database: name, why }, "all connections to the database are closed: new ones are opened"),
      });
      // A login of the service's own may not change tables.
      const mayMigrate = config().PROFILE === "local" && !hasOwnLogin("MYSQL_URL", service);
      if (mayMigrate && (await missingMigrations(this.mysql, migrationFolders)).length > 0)
        await migrate(name, migrationFolders);
      tellSchema(this.broker, service, await requireSchema(this.mysql, migrationFolders));
      addHealthCheck(this, "mysql", () => this.mysql.requireWorking());
    },
    async stopped(this: Service & Partial<MysqlState>) {
      await this.mysql?.close();
    },
  };
}
