import type { Service } from "moleculer";
import { config, databaseName, hasOwnLogin, serviceUrl } from "../config/config.ts";
import type { BackgroundLoop } from "./background-loop.ts";
import { mysqlTime, readClock } from "./clock/read-clock.ts";
import { watchClock } from "./clock/watch-clock.ts";
import { addHealthCheck, type HealthState } from "./health.mixin.ts";
import { Database, type DatabaseOptions } from "./mysql/database.ts";
import { migrate, missingMigrations, requireMigrated } from "./mysql/migrate.ts";

/** The state that the mixin adds to a service. */
export interface MysqlState {
  mysql: Database;
}

interface Internals extends MysqlState {
  mysqlClock: BackgroundLoop;
}

const retriesCounter = {
  name: "ovation.database.retries",
  labelNames: ["service"],
  description: "Statements and transactions that were run again after a deadlock or a lock wait",
} as const;

/**
 * A service's own database, open from its start to its stop. A node refuses to start on a database with missing
 * migrations: they are applied before, by a login of their own (`npm start`, `npm run cluster`, `npm run migrate`).
 * Only in the local profile, where the service has no login of its own, the node applies them itself.
 */
export function mysqlMixin(
  service: string,
  migrationFolders: readonly string[],
  options: Omit<DatabaseOptions, "gaveUp" | "retried" | "url"> = {},
) {
  return {
    async started(this: Service & Internals & HealthState) {
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
      await requireMigrated(this.mysql, migrationFolders);
      addHealthCheck(this, "mysql", () => this.mysql.requireWorking());
      this.mysqlClock = watchClock(this, "mysql", async () => [await readClock(name, () => mysqlTime(this.mysql))]);
    },
    async stopped(this: Service & Partial<Internals>) {
      await Promise.all([this.mysqlClock?.stop(), this.mysql?.close()]);
    },
  };
}
