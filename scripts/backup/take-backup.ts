import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NatsConnection } from "nats";
import { config, databaseName } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { projectRoot } from "../../config/root.ts";
import { findStream } from "../../mixins/jetstream/streams.ts";
import { databaseServices } from "../databases.ts";
import { openEmptyFolder } from "./backup-file.ts";
import { databasesOf, dumpDatabases, openAdmin, rowsOf } from "./dump.ts";
import { type Manifest, writeManifest } from "./manifest.ts";
import { eventsName, takeStreams } from "./streams.ts";

export interface BackupOptions {
  readonly folder: string;
  /** An administrator's login. */
  readonly mysqlUrl: string;
  readonly connection: NatsConnection;
  /** As `keyNames`. */
  readonly keys: Manifest["keys"];
  readonly progress: (line: string) => void;
}

/** The databases of the namespace's services. @throws Error where the server lacks one */
async function presentDatabases(mysqlUrl: string): Promise<string[]> {
  const wanted = databaseServices.map((service) => databaseName(service));
  const admin = await openAdmin(mysqlUrl);
  try {
    const there = new Set(await databasesOf(admin, config().NAMESPACE));
    const missing = wanted.filter((name) => !there.has(name));
    if (missing.length > 0)
      throw new Error(
        `this server has no database ${missing.join(", ")}: a backup is of all services. Is it the right server, and the ` +
          "right NAMESPACE? Where services have servers of their own, back those up by the server's own means",
      );
    return wanted;
  } finally {
    await admin.end();
  }
}

async function migrationsOf(mysqlUrl: string, databases: readonly string[]): Promise<Map<string, string[]>> {
  const admin = await openAdmin(mysqlUrl);
  try {
    const all = new Map<string, string[]>();
    for (const database of databases) {
      const rows = await rowsOf<{ name: string }>(admin, `SELECT name FROM \`${database}\`.t_migration ORDER BY name`);
      const newest = new Map(rows.map(({ name }) => [name.slice(0, name.lastIndexOf("/")), name]));
      all.set(database, [...newest.values()]);
    }
    return all;
  } finally {
    await admin.end();
  }
}

function release(): string {
  return (JSON.parse(readFileSync(join(projectRoot(), "package.json"), "utf8")) as { version: string }).version;
}

/** Says every two seconds how far a long table is. */
function tableProgress(progress: (line: string) => void) {
  let shownAt = performance.now();
  return (database: string, table: string, rows: number) => {
    if (performance.now() - shownAt < limits.backup.progressEveryMs) return;
    shownAt = performance.now();
    progress(`${database}.${table}: ${rows.toLocaleString("en")} rows ...`);
  };
}

/**
 * Backs up the namespace's databases and streams while the system runs. The folder must be new or empty. The manifest is
 * written last, so a backup that was interrupted has none. @throws Error; then the folder holds no backup
 */
export async function takeBackup(options: BackupOptions): Promise<Manifest> {
  const { folder, mysqlUrl, connection, keys, progress } = options;
  await openEmptyFolder(folder);
  const databases = await presentDatabases(mysqlUrl);
  const begun = new Date().toISOString();
  const manager = await connection.jetstreamManager();
  // Before the databases' snapshot: an event is published after its rows are committed.
  const events = await findStream(manager, eventsName());
  progress(`${databases.length} databases, as of one moment`);
  const dump = await dumpDatabases(mysqlUrl, {
    ...{ databases, folder, progress: tableProgress(progress) },
    seen: events && { database: databaseName("gift"), stream: eventsName(), created: events.created },
  });
  for (const { database, rows } of dump.databases) {
    const count = Object.values(rows).reduce((sum, one) => sum + one, 0);
    progress(`database ${database}: ${count.toLocaleString("en")} rows`);
  }
  const streams = await takeStreams(connection, folder, progress);
  const migrations = await migrationsOf(mysqlUrl, databases);
  const manifest: Manifest = {
    format: 1,
    id: randomUUID(),
    namespace: config().NAMESPACE,
    release: release(),
    begun,
    ended: new Date().toISOString(),
    databases: dump.databases.map((one) => ({ ...one, migrations: migrations.get(one.database) ?? [] })),
    databaseServer: dump.server,
    binlog: dump.position,
    streamServer: connection.info?.version ?? "",
    streams,
    events: events
      ? { created: events.created, lastSequence: Math.min(events.state.last_seq, dump.seen ?? Infinity) }
      : null,
    keys,
  };
  writeManifest(folder, manifest);
  return manifest;
}
