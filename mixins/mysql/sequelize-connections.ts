import type { Options } from "sequelize";
import { databaseName, serviceUrl } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { serversOf } from "../../config/server-urls.ts";
import { type MysqlServer, mysqlServers } from "./servers.ts";
import { type DrivenConnection, limitStatements } from "./statement-limit.ts";

/** A connection of mysql2 in Sequelize's pool. */
interface PooledConnection {
  readonly _closing?: boolean;
  readonly _fatalError?: unknown;
  readonly _protocolError?: unknown;
  readonly stream: { readonly destroyed: boolean };
  destroy(): void;
}

/**
 * Decides which of Sequelize's connections may be used. They are not checked for a demoted primary. Instead each is
 * used for at most `limits.mysql.catalogueConnectionMs`, and not after the service's own pool has left a server.
 */
export class Freshness {
  private readonly made = new WeakMap<object, { at: number; generation: number }>();
  private readonly generation: () => number;

  constructor(generation: () => number) {
    this.generation = generation;
  }

  connected(connection: object): void {
    this.made.set(connection, { at: performance.now(), generation: this.generation() });
  }

  mayBeUsed(connection: PooledConnection): boolean {
    const { _closing, _fatalError, _protocolError, stream } = connection;
    if (_closing || _fatalError || _protocolError || stream.destroyed) return false;
    const made = this.made.get(connection);
    const fresh =
      made?.generation === this.generation() && performance.now() - made.at < limits.mysql.catalogueConnectionMs;
    // Destroyed here: Sequelize would wait for a dead server to close the connection.
    if (!fresh) connection.destroy();
    return fresh;
  }
}

/**
 * The options of Sequelize for the database of a service. `server` is asked before each connection: where it is made to.
 */
export function connectionOptions(
  service: string,
  statementTimeoutMs: number,
  freshness: Freshness,
  server: () => Promise<Pick<MysqlServer, "host" | "port">>,
): Options & { noSync: true; keepDefaultTimezone: true } {
  const [url] = serversOf(serviceUrl("MYSQL_URL", service));
  const [{ uri, host, port }] = mysqlServers(url.href);
  return {
    // The tables are made by migrations; otherwise the adapter would create them.
    noSync: true,
    dialect: "mysql",
    host,
    port,
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: databaseName(service),
    logging: false,
    timezone: "+00:00",
    // Otherwise Sequelize would set it by a statement without a time-out.
    keepDefaultTimezone: true,
    pool: {
      max: 2,
      min: 0,
      acquire: limits.mysql.connectTimeoutMs,
      validate: (connection) => freshness.mayBeUsed(connection as PooledConnection),
    },
    hooks: {
      /** The server that the service's own pool uses: the URL may name several. */
      async beforeConnect(config: object) {
        const { host, port } = await server();
        Object.assign(config, { host, port });
      },
      async afterConnect(connection: unknown) {
        freshness.connected(connection as object);
        const driven = connection as DrivenConnection;
        limitStatements(driven, statementTimeoutMs);
        await new Promise<void>((resolve, reject) => {
          driven.query("SET time_zone = '+00:00'", (error: Error | null) => (error ? reject(error) : resolve()));
        });
      },
    },
    dialectOptions: {
      // Other parameters of the URL, e.g. ?ssl=...; the options above take precedence.
      uri,
      supportBigNumbers: true,
      bigNumberStrings: true,
      connectTimeout: limits.mysql.connectTimeoutMs,
    },
  };
}
