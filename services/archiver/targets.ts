import { config, databaseName, hasOwnLogin, serviceUrl } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { ArchivedTable } from "../../mixins/archive/archived-table.ts";
import { nextRange } from "../../mixins/archive/boundaries.ts";
import { hotRows } from "../../mixins/archive/hot-rows-store.ts";
import type { Months } from "../../mixins/archive/months.ts";
import { type Segment, segmentStates } from "../../mixins/archive/segment-state.ts";
import { databaseTime, lastSegment, readSegments } from "../../mixins/archive/segment-store.ts";
import { Database } from "../../mixins/mysql/database.ts";
import { migrate } from "../../mixins/mysql/migrate.ts";
import { missingMigrations } from "../../mixins/mysql/schema.ts";
import { archiveIsOn } from "../archive-settings.ts";
import { archivedTables } from "../archived-tables.ts";
import { migrationFolders } from "../databases.ts";
import { numbersOf, requireSelf } from "../server-names-store.ts";
import { furtherServers, walletServers } from "../wallet-servers.ts";
import type { ArchivedTableStatus } from "./archiver.contract.ts";

/** A table whose closed months are moved, in the database of its service on one server. */
export interface Target {
  /** The server's name: home, where there is one. */
  readonly server: string;
  /** The server with the archiver's login. */
  readonly url: string;
  readonly table: ArchivedTable;
  readonly mysql: Database;
  readonly months: Months;
  readonly afterDays: number;
}

type OfService = Target & { readonly service: "wallet" | "gift" };

/**
 * The tables on every server of WALLET_MYSQL_URLS. Where a service's own node may migrate its database
 * (mixins/mysql.mixin.ts), so may this one: in one process they start at the same time. @throws Error where a database lacks
 * migrations otherwise, or the setting is not what the servers know
 */
export async function targetsOf({ months, afterDays }: Pick<Target, "months" | "afterDays">): Promise<Target[]> {
  const further = furtherServers("archiver");
  const home = { name: walletServers()?.[0].name ?? "home", url: serviceUrl("MYSQL_URL", "archiver") };
  const targets = [home, ...further].flatMap(({ name, url }) =>
    archivedTables.map(
      (table): OfService => ({
        ...{ server: name, url, table, service: table.service, months, afterDays },
        mysql: new Database(databaseName(table.service), { url, connections: limits.archive.connections }),
      }),
    ),
  );
  try {
    for (const target of targets) await requireMigrated(target, target.server === home.name);
    const [first] = targets as [OfService, ...OfService[]];
    await numbersOf(first.mysql, further);
    if (further.length > 0) for (const { mysql, server } of targets) await requireSelf(mysql, server);
  } catch (error) {
    await Promise.all(targets.map((target) => target.mysql.close()));
    throw error;
  }
  return targets;
}

/** @throws Error where the database lacks migrations that this node may not apply */
async function requireMigrated({ mysql, service }: OfService, isHome: boolean): Promise<void> {
  const missing = await missingMigrations(mysql, migrationFolders[service]);
  if (missing.length === 0) return;
  if (!isHome || config().PROFILE !== "local" || hasOwnLogin("MYSQL_URL", "archiver"))
    throw new Error(`Database ${mysql.name} lacks ${missing.join(", ")}: run "npm run migrate".`);
  await migrate(mysql.name, migrationFolders[service]);
}

/**
 * The oldest month of which rows are in the hot table, and for how long it has been due, ms: 0 where no rows could be moved,
 * as of a month whose only INSERT is the newest one.
 */
async function oldest({ table, mysql, months, afterDays }: Target): Promise<{ month: string | null; dueMs: number }> {
  const last = await lastSegment(mysql, table.table);
  const rows = hotRows(mysql, table);
  // Rows below are gone, and may not be purged yet.
  const first = await rows.firstFrom(last?.movedTo ?? 0n);
  if (!first) return { month: null, dueMs: 0 };
  const month = months.of(first.time.getTime());
  if (!last || last.state === "closed") {
    const bounds = { afterDays, segmentRows: limits.archive.segmentRows };
    const range = await nextRange(rows, last?.to ?? 0n, months, await databaseTime(mysql), bounds);
    if (!range) return { month, dueMs: 0 };
  }
  const dueAt = months.dueAt(month, afterDays);
  return { month, dueMs: Math.max(0, (await databaseTime(mysql)).getTime() - dueAt) };
}

const openOf = (segments: readonly Segment[]) => segments.find(({ state }) => state !== "closed");

export async function statusOf(target: Target, trouble: string | null): Promise<ArchivedTableStatus> {
  const { table, mysql, server } = target;
  const segments = await readSegments(mysql, table.table);
  const open = openOf(segments);
  const { month, dueMs } = await oldest(target);
  const counts = segmentStates.map((state) => [state, segments.filter((one) => one.state === state).length]);
  return {
    ...{ table: table.table, server },
    segments: Object.fromEntries(counts) as ArchivedTableStatus["segments"],
    archivedBelow: String(open?.movedTo ?? segments.at(-1)?.to ?? 0n),
    open: open
      ? {
          ...{ segment: open.segment, month: open.month, state: open.state },
          ...{ from: String(open.from), to: String(open.to), movedTo: String(open.movedTo) },
        }
      : null,
    oldestMonth: month,
    dueSeconds: Math.floor(dueMs / 1_000),
    trouble,
  };
}

/** For the metrics: ids of the open segment that are not moved, and how long the oldest month has been due: 0 with ARCHIVE=off. */
export async function waitingOf(target: Target): Promise<{ ids: number; dueMs: number }> {
  const { mysql, table } = target;
  const open = openOf(await readSegments(mysql, table.table));
  // The first segment of a further server begins at 0, and its first row far above.
  const first = open && (await hotRows(mysql, table).firstFrom(open.movedTo));
  const ids = open && first && first.id < open.to ? Number(open.to - first.id) : 0;
  return { ids, dueMs: archiveIsOn() ? (await oldest(target)).dueMs : 0 };
}

/** Which month is late, for people; `undefined` where none is. */
export async function lateness(targets: readonly Target[]): Promise<string | undefined> {
  for (const target of targets) {
    const { month, dueMs } = await oldest(target);
    if (dueMs <= limits.archive.lateMs) continue;
    const days = Math.floor(dueMs / (24 * 3_600_000));
    return `${month} of ${target.table.table} at ${target.server} is not archived, for ${days} days; npm run archive -- status says why`;
  }
  return undefined;
}
