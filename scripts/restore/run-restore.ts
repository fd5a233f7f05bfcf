import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { JetStreamManager, NatsConnection } from "nats";
import { config, databaseName } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { findStream } from "../../mixins/jetstream/streams.ts";
import { migrate } from "../../mixins/mysql/migrate.ts";
import { readMigrations } from "../../mixins/mysql/migration-files.ts";
import { migrationFolders } from "../../services/databases.ts";
import { eventFaults } from "../../services/signed-events.ts";
import { paySignatures } from "../../services/signing-keys.ts";
import { servicesByUser } from "../add-servers.ts";
import { faultOf } from "../backup/backup-file.ts";
import { missingKeys } from "../backup/key-names.ts";
import { type Manifest, readManifest } from "../backup/manifest.ts";
import { eventsName } from "../backup/streams.ts";
import { type DatabaseService, databaseServices } from "../databases.ts";
import { replaceFile } from "../stack/files.ts";
import { countUnsigned, type EventSpan, eventSpan } from "./events.ts";
import { hasTables, loadDatabases, type PlacedDatabase, placeOf, requireEmpty } from "./load-databases.ts";
import { raiseIds } from "./raise-ids.ts";
import { setReadersBack } from "./readers.ts";
import { removeEventsSince } from "./remove-events.ts";
import { highestIds, type Replayed, replay } from "./replay.ts";
import type { Note } from "./replay-plan.ts";
import type { ReplayServer } from "./replay-tables.ts";
import { type ReportData, reportText } from "./report.ts";
import { RestoreState } from "./restore-state.ts";
import { requireNoStreams, requireStopped, restoreStreams, wasRestored } from "./restore-streams.ts";
import { RestoredServers } from "./restored-servers.ts";

export interface RestoreOptions {
  readonly folder: string;
  readonly mysqlUrl: string;
  readonly nats: NatsConnection;
  readonly until: Date | null;
  /** The streams that are there outlived the databases: they are kept. */
  readonly keepStreams: boolean;
  /** The databases were restored by other means: they are replayed into. */
  readonly keepDatabases: boolean;
  /** What becomes of events without a signature; `undefined`: where there are any nothing is replayed. */
  readonly unsigned?: "accept" | "refuse" | undefined;
  /** As `keyNames`; `null`: they are not compared. */
  readonly keys: Manifest["keys"] | null;
  /** Where the report is written. */
  readonly reportFolder: string;
  readonly progress: (line: string) => void;
}

export interface Restored {
  /** `null`: an earlier run was complete, and this one has done nothing. */
  readonly report: ReportData | null;
}

/** What the folder holds is whole, of this namespace, and of a release that this one knows. */
async function checkBackup({ folder, keys, until, progress }: RestoreOptions): Promise<Manifest> {
  const manifest = await readManifest(folder);
  const { namespace, begun } = manifest;
  if (until && until.getTime() <= Date.parse(begun))
    throw new Error(`the backup is of ${begun}, and holds what happened until then: take one from before --until`);
  if (namespace !== config().NAMESPACE)
    throw new Error(
      `the backup is of namespace ${namespace}, and this is ${config().NAMESPACE}: names of databases and streams hold it`,
    );
  progress("checksums of the backup's files");
  const further = manifest.further.flatMap(({ databases }) => databases);
  for (const part of [...manifest.databases, ...further, ...manifest.streams]) {
    const fault = await faultOf(join(folder, part.file), part);
    if (fault !== undefined) throw new Error(`the backup is damaged, and nothing was restored: ${fault}`);
  }
  requireKnownRelease(manifest);
  const missing = keys === null ? [] : missingKeys(manifest.keys, keys);
  if (missing.length > 0)
    throw new Error(
      `this process lacks keys that the system had: ${missing.join("; ")}. Without them seals cannot be verified, and ` +
        "messages that they signed become dead letters. Give it them, or go on with --without-keys",
    );
  return manifest;
}

const serviceOf = (database: string): DatabaseService | undefined =>
  databaseServices.find((service) => databaseName(service) === database);

function requireKnownRelease({ databases, further, release }: Manifest): void {
  for (const { database, migrations } of [...databases, ...further.flatMap((one) => one.databases)]) {
    const service = serviceOf(database);
    const known = new Set(service ? readMigrations(migrationFolders[service]).map(({ name }) => name) : []);
    const unknown = migrations.find((name) => !known.has(name));
    if (unknown !== undefined)
      throw new Error(
        `${database} has the migration ${unknown}, which this release does not know: restore with release ${release} or ` +
          "a later one",
      );
  }
}

/** What the replay signs and verifies with, whatever the backup's own keys are. @throws Error that names what is missing */
function requireReplayKeys(): void {
  eventFaults();
  paySignatures();
}

/** @throws Error where events that order money are not signed: a person decides whether they are believed */
async function requireSigned(nats: NatsConnection, events: Parameters<typeof countUnsigned>[1]): Promise<void> {
  const { count, first } = await countUnsigned(nats, events);
  if (first === undefined) return;
  throw new Error(
    `${count} events that charge or credit somebody are not signed. The first is event ${first.sequence} of ` +
      `${first.storedAt.toISOString()}, ${first.subject}. Nodes of releases before 2 published them, or a forger. Nothing ` +
      "was replayed: look at them, then begin again with --unsigned accept, or with --unsigned refuse, which lists them",
  );
}

/**
 * A restore that is complete. @throws Error where what it restored is gone since: it is not restored any more, and what
 * is there may be in use
 */
async function requireStillThere(
  databases: readonly PlacedDatabase[],
  manager: JetStreamManager,
  manifest: Manifest,
): Promise<void> {
  const { streams, namespace } = manifest;
  const gone: string[] = [];
  for (const one of databases) if (!(await hasTables(one))) gone.push(placeOf(one));
  for (const { stream } of streams) if (!(await findStream(manager, stream))) gone.push(`stream ${stream}`);
  if (gone.length > 0)
    throw new Error(
      `this backup was restored here, and since then these are gone: ${gone.join(", ")}. To restore it again, drop what ` +
        `is left of the namespace's databases, ${namespace}_restore among them, and begin again`,
    );
}

interface From {
  readonly from: number;
  readonly gap: ReportData["gap"];
}

/**
 * The first event that may be missing in the databases. `keepDatabases`: they may be of any time, so all events are
 * read; those that are in the databases change nothing.
 */
export function replayFrom(events: Manifest["events"], span: EventSpan | undefined, keepDatabases: boolean): From {
  const untilTime = span ? span.firstTime.toISOString() : "now";
  if (!span) return { from: 1, gap: events && { what: "there is no stream of events", untilTime } };
  if (!events) return { from: span.first, gap: null };
  if (events.created !== span.created)
    return { from: span.first, gap: { what: "the stream of events was made again after the backup", untilTime } };
  const next = events.lastSequence + 1;
  if (keepDatabases) return { from: span.first, gap: null };
  if (span.first <= next) return { from: next, gap: null };
  return { from: span.first, gap: { what: `EVENTS has dropped its events ${next} to ${span.first - 1}`, untilTime } };
}

/**
 * From when on the orders of PAY are looked at. `begun` is of the clock of the machine that backed up, and PAY has times
 * of nats-server, so it is earlier by a margin: what is there stays as it is. Of databases of another time nothing is
 * known: all are looked at.
 */
export function paidSinceOf({ begun }: Pick<Manifest, "begun">, keepDatabases: boolean): Date {
  return new Date(keepDatabases ? 0 : Date.parse(begun) - limits.backup.clockMarginMs);
}

const nothing: Replayed = { events: 0, written: {}, there: {}, lent: 0, lostSeals: 0, notes: [] };

/** What is lost where the databases are older than the events cannot be seen here. */
export function ofKeptDatabases(span: EventSpan | undefined): Note {
  const oldest = span && `event ${span.first}, of ${span.firstTime.toISOString()}, is the oldest one`;
  return { kind: "databases", subject: "EVENTS", detail: oldest ?? "there is no stream of events" };
}

/** A database that was restored has what this release's nodes want. */
async function migrateAll({ mysqlUrl, progress }: RestoreOptions, further: readonly ReplayServer[]): Promise<void> {
  const migrateOne = async (service: DatabaseService, url: string) => {
    const applied = await migrate(databaseName(service), migrationFolders[service], undefined, url);
    if (applied.length > 0) progress(`${databaseName(service)}: applied ${applied.join(", ")}`);
  };
  await Promise.all([
    ...databaseServices.map((service) => migrateOne(service, mysqlUrl)),
    ...further.flatMap(({ url }) => servicesByUser.map((service) => migrateOne(service, url))),
  ]);
}

async function bringBack(
  servers: RestoredServers,
  state: RestoreState,
  manifest: Manifest,
  options: RestoreOptions,
): Promise<ReportData> {
  const { folder, mysqlUrl, nats, until, keepStreams, keepDatabases, reportFolder, progress } = options;
  const { databases, further } = servers;
  if (!keepDatabases) await loadDatabases(state, { folder, databases, progress });
  await servers.requireWhole();
  await restoreStreams(state, { folder, manifest, databases, nats, keepStreams, progress });
  await migrateAll(options, further);
  const span = await eventSpan(nats);
  // A stream that this restore made has another creation where the server did not keep it.
  const remade = span && (await wasRestored(state, eventsName()));
  const events = manifest.events && remade ? { ...manifest.events, created: span.created } : manifest.events;
  const { from, gap: dropped } = replayFrom(events, span, keepDatabases);
  const lost = { what: "EVENTS was lost too: it is as in the backup, and what was settled since is not in it" };
  const gap = dropped ?? (remade && keepStreams ? { ...lost, untilTime: "now" } : null);
  const trust = { faultOf: eventFaults(), unsigned: options.unsigned === "accept" };
  if (span && options.unsigned === undefined) await requireSigned(nats, { from, to: span.last, ...trust });
  const raised = await state.step("ids", async () =>
    raiseIds(databases, span ? await highestIds({ nats, span, from, trust }) : new Map()),
  );
  if (raised !== undefined) progress(`counters of ids: ${raised} raised`);
  const paidSince = paidSinceOf(manifest, keepDatabases);
  const place = { mysqlUrl, servers: servers.ofLedgers };
  const replayed = span ? await replay({ ...place, nats, span, from, until, trust, paidSince, progress }) : nothing;
  if (until && span) {
    const file = join(reportFolder, "removed-events.jsonl");
    const removed = await removeEventsSince(nats, { span, from, since: until, file });
    progress(`${removed} events from ${until.toISOString()} on were taken out of EVENTS: they are in ${file}`);
  }
  const lostEvents = remade ? manifest.streams.find(({ stream }) => stream === eventsName()) : undefined;
  const readers = await setReadersBack(servers.home, nats, lostEvents);
  progress(`readers of streams go on from the backup: ${readers.length} consumers were removed`);
  const { id, begun } = manifest;
  const notes = keepDatabases ? [ofKeptDatabases(span), ...replayed.notes] : replayed.notes;
  return { backup: { id, begun }, until: until?.toISOString() ?? null, gap, ...replayed, notes };
}

/**
 * Restores a backup to empty servers and replays what happened after it, as far as the streams have it. The system must
 * be stopped. May be begun again after an interruption. @throws Error where it refuses, with nothing changed, or fails
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { mysqlUrl, nats, keepStreams, keepDatabases, reportFolder } = options;
  const manifest = await checkBackup(options);
  const manager = await nats.jetstreamManager();
  const servers = await RestoredServers.open(mysqlUrl, manifest);
  try {
    const state = await RestoreState.find(servers.home, manifest.id);
    if (await state.isComplete()) {
      await requireStillThere(servers.databases, manager, manifest);
      return { report: null };
    }
    requireReplayKeys();
    await requireStopped(manager);
    if (!keepDatabases) await requireEmpty(state, servers.databases);
    if (!keepStreams) await requireNoStreams(manager, state);
    mkdirSync(reportFolder, { recursive: true, mode: 0o700 });
    await state.begin(manifest.id);
    const report = await bringBack(servers, state, manifest, options);
    replaceFile(join(reportFolder, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
    replaceFile(join(reportFolder, "report.txt"), `${reportText(report)}\n`);
    await state.complete();
    return { report };
  } finally {
    await servers.close();
  }
}
