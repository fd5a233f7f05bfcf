import type { Service } from "moleculer";
import { tellSchema } from "../broker/releases.ts";
import { config, databaseName, hasOwnLogin, serviceUrl } from "../config/config.ts";
import type { BackgroundLoop } from "./background-loop.ts";
import { mysqlTime, readClock } from "./clock/read-clock.ts";
import { watchClock } from "./clock/watch-clock.ts";
import { addHealthCheck, type HealthState } from "./health.mixin.ts";
import { Database, type DatabaseOptions } from "./mysql/database.ts";
import { countingRetries, keepDatabaseMetrics } from "./mysql/database-metrics.ts";
import { migrate } from "./mysql/migrate.ts";
import { missingMigrations, requireSchema } from "./mysql/schema.ts";

/** The state that the mixin adds to a service. */
export interface MysqlState {
  mysql: Database;
}

interface Internals extends MysqlState {
  mysqlClock: BackgroundLoop;
  databaseMetrics: { stop(): Promise<void> };
}

/**
 * A service's own database, open from its start to its stop. A node refuses to start on a schema that is too old
 * or too new for its release (mysql/schema.ts). Migrations are applied before, by a login of their own (`npm start`,
 * `npm run cluster`, `npm run migrate`). Only in the local profile, where the service has no login of its own, the node applies them itself.
 * With `url` it is the database of that name on another server, whose migrations no node applies. With `presence` that
 * server may be away, and is looked at there: the service is degraded meanwhile.
 */
export function mysqlMixin(
  service: string,
  migrationFolders: readonly string[],
  options: Omit<DatabaseOptions, "gaveUp" | "retried"> = {},
) {
  return {
    async started(this: Service & Internals & HealthState) {
      const name = databaseName(service);
      this.mysql = new Database(name, {
        ...options,
        url: options.url ?? serviceUrl("MYSQL_URL", service),
        retried: countingRetries(this),
        gaveUp: (why) =>
          this.logger.warn({ database: name, why }, "all connections to the database are closed: new ones are opened"),
      });
      // A login of the service's own may not change tables.
      const mayMigrate =
        options.url === undefined && config().PROFILE === "local" && !hasOwnLogin("MYSQL_URL", service);
      if (mayMigrate && (await missingMigrations(this.mysql, migrationFolders)).length > 0)
        await migrate(name, migrationFolders);
      const { presence } = options;
      if (presence) addHealthCheck(this, "mysql", async () => presence.require(), { degrades: true });
      else {
        tellSchema(this.broker, service, await requireSchema(this.mysql, migrationFolders));
        addHealthCheck(this, "mysql", () => this.mysql.requireWorking(), { asksServer: true });
      }
      this.mysqlClock = watchClock(this, "mysql", async () => [await readClock(name, () => mysqlTime(this.mysql))]);
      this.databaseMetrics = keepDatabaseMetrics(this, this.mysql);
    },
    async stopped(this: Service & Partial<Internals>) {
      await Promise.all([this.mysqlClock?.stop(), this.databaseMetrics?.stop()]);
      await this.mysql?.close();
    },
  };
}
