import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NatsConnection } from "nats";
import { config, databaseName } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { projectRoot } from "../../config/root.ts";
import { findStream } from "../../mixins/jetstream/streams.ts";
import { databaseServices } from "../databases.ts";
import { databasesOf, openAdmin, rowsOf } from "./admin-connection.ts";
import { openEmptyFolder } from "./backup-file.ts";
import type { Snapshot } from "./dump.ts";
import { furtherByAdmin } from "./ledger-servers.ts";
import { type DatabasePart, type Manifest, writeManifest } from "./manifest.ts";
import { closeSnapshots, openSnapshots, type Snapshots } from "./snapshots.ts";
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

/** The parts of the manifest that are of one server. */
async function dumpedParts(
  snapshot: Snapshot,
  about: { folder: string; prefix: string; progress: (line: string) => void; at: string },
): Promise<DatabasePart[]> {
  const { folder, prefix, progress, at } = about;
  const dumped = await snapshot.dump({ folder, prefix, progress: tableProgress(progress) });
  const parts: DatabasePart[] = [];
  for (const one of dumped) {
    const count = Object.values(one.rows).reduce((sum, rows) => sum + rows, 0);
    progress(`database ${one.database}${at}: ${count.toLocaleString("en")} rows`);
    parts.push({ ...one, migrations: await migrationsIn(snapshot, one.database) });
  }
  return parts;
}

/** The newest migration of each folder. */
async function migrationsIn({ connection }: Snapshot, database: string): Promise<string[]> {
  const rows = await rowsOf<{ name: string }>(connection, `SELECT name FROM \`${database}\`.t_migration ORDER BY name`);
  return [...new Map(rows.map(({ name }) => [name.slice(0, name.lastIndexOf("/")), name])).values()];
}

/** Dumps all servers at once. */
async function dumpServers(
  { home, further }: Snapshots,
  folder: string,
  progress: (line: string) => void,
): Promise<Pick<Manifest, "databases" | "further">> {
  const [databases, ...others] = await Promise.all([
    dumpedParts(home, { folder, prefix: "", progress, at: "" }),
    ...further.map(({ server, snapshot }) =>
      dumpedParts(snapshot, { folder, prefix: `${server}.`, progress, at: ` at ${server}` }),
    ),
  ]);
  return {
    databases,
    further: further.map(({ server, number, snapshot }, place) => ({
      ...{ server, number, databases: others[place] as DatabasePart[] },
      ...{ databaseServer: snapshot.server, binlog: snapshot.position },
    })),
  };
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
  const servers = furtherByAdmin(mysqlUrl);
  const begun = new Date().toISOString();
  const manager = await connection.jetstreamManager();
  // Before the databases' snapshots: an event is published after its rows are committed.
  const events = await findStream(manager, eventsName());
  const snapshots = await openSnapshots(mysqlUrl, databases, servers, progress);
  const { home } = snapshots;
  progress(`${databases.length} databases, as of one moment${servers.length > 0 ? " on each server" : ""}`);
  const gift = databaseName("gift");
  let dumped: Awaited<ReturnType<typeof dumpServers>>;
  let seen: number | undefined;
  try {
    dumped = await dumpServers(snapshots, folder, progress);
    if (events) seen = await home.seen({ database: gift, stream: eventsName(), created: events.created });
  } finally {
    await closeSnapshots(snapshots);
  }
  const streams = await takeStreams(connection, folder, progress);
  const manifest: Manifest = {
    format: servers.length > 0 ? 2 : 1,
    id: randomUUID(),
    namespace: config().NAMESPACE,
    release: release(),
    begun,
    ended: new Date().toISOString(),
    ...dumped,
    databaseServer: home.server,
    binlog: home.position,
    streamServer: connection.info?.version ?? "",
    streams,
    events: events
      ? { created: events.created, lastSequence: Math.min(events.state.last_seq, seen ?? Infinity) }
      : null,
    keys,
  };
  writeManifest(folder, manifest);
  return manifest;
}
