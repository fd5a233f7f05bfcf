import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../background-loop.ts";
import { type Gauge, keepGauges } from "../gauges.ts";
import type { Database } from "./database.ts";

const retriesCounter = {
  name: "ovation.database.retries",
  labelNames: ["service"],
  description: "Statements and transactions that were run again after a deadlock or a lock wait",
} as const;

const pool = {
  busy: { name: "ovation.database.busy", description: "Connections to the database that are in use" },
  open: { name: "ovation.database.open", description: "Connections to the database that are open" },
  most: { name: "ovation.database.most", description: "The most connections that this pool may have" },
  waiting: { name: "ovation.database.waiting", description: "Callers that wait for a connection" },
} as const;

const tableBytes = {
  name: "ovation.database.table.bytes",
  description: "Bytes of a table and its indexes, as the server estimates them",
  unit: "byte",
  labelNames: ["table"],
} as const satisfies Gauge;

/** Counts what was run again. Register it before the database is opened. */
export function countingRetries({ name: service, broker: { metrics } }: Service): () => void {
  metrics.register({ type: "counter", ...retriesCounter, labelNames: [...retriesCounter.labelNames] });
  metrics.increment(retriesCounter.name, { service }, 0);
  return () => metrics.increment(retriesCounter.name, { service });
}

/** One statement. The server answers from its statistics, without reading the tables. */
async function sizesOf(database: Database): Promise<{ table: string; bytes: number }[]> {
  const rows = await database.query<{ name: string; bytes: string | null }>(
    `SELECT table_name AS name, data_length + index_length AS bytes FROM information_schema.tables
     WHERE table_schema = ? AND table_type = 'BASE TABLE'`,
    [database.name],
  );
  return rows.map(({ name, bytes }) => ({ table: name, bytes: Number(bytes ?? 0) }));
}

/**
 * The pool of a service's database in GET /metrics, by node, every few seconds; and the sizes of its tables, by one
 * statement each minute, which all nodes of the service report alike. Resolves once its last reading has ended.
 */
export function keepDatabaseMetrics(service: Service, database: Database): { stop(): Promise<void> } {
  const { broker, logger, name } = service;
  const pools = keepGauges(service, Object.values(pool), async () => {
    const { busy, open, most, waiting } = database.pool;
    return [
      { name: pool.busy.name, value: busy },
      { name: pool.open.name, value: open },
      { name: pool.most.name, value: most },
      { name: pool.waiting.name, value: waiting },
    ];
  });
  broker.metrics.register({ type: "gauge", ...tableBytes, labelNames: ["service", "table"] });
  const tables = new BackgroundLoop({
    name: `${name}-tables`,
    round: async () => {
      for (const { table, bytes } of await sizesOf(database))
        broker.metrics.set(tableBytes.name, bytes, { service: name, table });
      return false;
    },
    idleMs: limits.metrics.tablesEveryMs,
    errorBackoffMs: limits.metrics.tablesEveryMs,
    log: logger,
  });
  return {
    async stop() {
      await Promise.all([pools.stop(), tables.stop()]);
    },
  };
}
