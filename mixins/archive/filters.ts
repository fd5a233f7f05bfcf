import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../background-loop.ts";
import type { Database, Transaction } from "../mysql/database.ts";
import type { ArchivedTable } from "./archived-table.ts";
import { Filter, filterDigest, type Probe, probeOf } from "./bloom.ts";
import { allIds, type IdRange, isFiltered, type Segment } from "./segment-state.ts";
import { holdRevision, readFilterParts, readRevision, readSealed, readSegments } from "./segment-store.ts";

/** Business ids that may be in the archive, and where. */
export interface Suspects extends IdRange {
  readonly ids: readonly string[];
  /** False while rows of the range may be in the hot table too. */
  readonly isClosed: boolean;
}

/** The filters that a transaction needs are newer than those of this node: load them, and run it again. */
export class FiltersBehind extends Error {
  constructor(table: string) {
    super(`the filters of ${table} have changed`);
  }
}

interface Held {
  readonly segment: Segment;
  /** `undefined` where it does not fit into this node's memory or is not what was sealed: any id may be in it. */
  readonly filter: KnownFilter | undefined;
}

interface KnownFilter {
  readonly filter: Filter;
  readonly digest: Buffer;
}

const gauges = {
  bytes: {
    name: "ovation.archive.filter.bytes",
    description: "Memory of the filters of archived months that this node holds",
  },
  missing: {
    name: "ovation.archive.filter.missing",
    description: "Archived segments whose filter this node does not hold: their rows are looked up for every id",
  },
} as const;

interface FiltersOptions {
  readonly mysql: Database;
  readonly table: ArchivedTable;
  readonly log: Pick<Log, "warn" | "error">;
  readonly bytesMost?: number;
  /** Told after each load. */
  readonly loaded?: (held: { bytes: number; missing: number }) => void;
}

/**
 * The filters of a table's archived segments, as this node holds them. They say of a business id that it is certainly not
 * in the archive, without asking it.
 *
 * A transaction that writes business ids calls `hold` first: it fails where a filter is missing here, and keeps new ones
 * away until its commit. Who only reads calls `lookups` after it has asked the hot table.
 */
export class ArchiveFilters {
  private readonly options: FiltersOptions;
  private held: readonly Held[] = [];
  private revision = -1;
  /** Of the database's connections: after a failover the same revision may be of other segments. */
  private generation = -1;
  /** When the database last said that there is nothing newer; performance.now. */
  private knownAt = Number.NEGATIVE_INFINITY;
  private loading: Promise<void> | undefined;
  private loop: BackgroundLoop | undefined;

  constructor(options: FiltersOptions) {
    this.options = options;
  }

  /** Loads the filters, and then asks for newer ones until `stop`. Rejects where the database is away. */
  async start(): Promise<void> {
    await this.load();
    this.loop = new BackgroundLoop({
      name: `archive filters of ${this.options.table.table}`,
      idleMs: limits.archive.pollMs,
      errorBackoffMs: limits.archive.pollMs,
      log: this.options.log,
      round: async () => {
        await this.load();
        return false;
      },
    });
  }

  async stop(): Promise<void> {
    await this.loop?.stop();
  }

  /** Loads what is newer. Calls at the same time share one load. Fails: unavailable. */
  load(): Promise<void> {
    this.loading ??= this.loadNewer().finally(() => {
      this.loading = undefined;
    });
    return this.loading;
  }

  /**
   * The first statement of a transaction that writes business ids. Until it ends, nothing that these filters do not know
   * leaves the hot table. @throws FiltersBehind
   */
  async hold(tx: Transaction): Promise<void> {
    const { mysql, table } = this.options;
    const revision = await holdRevision(tx, table.table);
    if (revision !== this.revision || mysql.generation !== this.generation) throw new FiltersBehind(table.table);
  }

  /**
   * Runs a transaction that calls `hold` as its first statement, and again with newer filters where they were behind. Fails:
   * unavailable, where they are behind again and again.
   */
  async holding<T>(work: (hold: (tx: Transaction) => Promise<void>) => Promise<T>): Promise<T> {
    for (let loads = 0; ; loads++)
      try {
        return await work((tx) => this.hold(tx));
      } catch (error) {
        if (!(error instanceof FiltersBehind)) throw error;
        if (loads >= limits.archive.filterTries) throw fail("unavailable", { cause: error.message });
        await this.load();
      }
  }

  /** Where these ids may be archived: within a transaction that holds the filters. */
  suspects(ids: readonly string[]): Suspects[] {
    if (this.held.length === 0 || ids.length === 0) return [];
    const probes = ids.map((id): [string, Probe] => [id, probeOf(id)]);
    return this.held.flatMap(({ segment: { from, to, state }, filter }) => {
      const own = filter ? probes.filter(([, probe]) => filter.filter.mayHave(probe)).map(([id]) => id) : ids;
      return own.length === 0 ? [] : [{ from, to, ids: own, isClosed: state === "closed" }];
    });
  }

  /**
   * Where to look for ids that were not in the hot table when it was asked, just before. Filters that may be too old say
   * nothing: a segment is filtered for `limits.archive.settleMs` before its first row is moved.
   */
  lookups(ids: readonly string[]): Suspects[] {
    if (ids.length === 0) return [];
    const isFresh = performance.now() - this.knownAt <= limits.archive.freshMs;
    return isFresh ? this.suspects(ids) : [{ ...allIds, ids, isClosed: false }];
  }

  private async loadNewer(): Promise<void> {
    const { mysql, table, loaded } = this.options;
    const askedAt = performance.now();
    const { generation } = mysql;
    // Before the segments: what is filtered in between makes the next load find another revision.
    const revision = await readRevision(mysql, table.table);
    if (revision !== this.revision || generation !== this.generation) {
      this.held = await this.loadSegments();
      this.revision = revision;
      this.generation = generation;
      const filters = this.held.flatMap(({ filter }) => filter ?? []);
      const bytes = filters.reduce((sum, { filter }) => sum + filter.size, 0);
      loaded?.({ bytes, missing: this.held.length - filters.length });
    }
    this.knownAt = askedAt;
  }

  /** The newest first, as long as they fit: later requests are more often repeated than earlier ones. */
  private async loadSegments(): Promise<Held[]> {
    const { mysql, table, bytesMost = limits.archive.filterBytes } = this.options;
    const known = new Map(this.held.map(({ segment, filter }) => [segment.segment, filter]));
    const segments = (await readSegments(mysql, table.table)).filter(({ state }) => isFiltered(state)).reverse();
    const held: Held[] = [];
    let bytes = 0;
    for (const segment of segments) {
      const filter = bytes < bytesMost ? await this.loadFilter(segment, known.get(segment.segment)) : undefined;
      bytes += filter?.filter.size ?? 0;
      held.push({ segment, filter });
    }
    const missing = held.filter(({ filter }) => !filter).length;
    if (missing > 0)
      this.options.log.warn(
        { table: table.table, segments: missing, bytes },
        "filters of archived months are not held: their rows are looked up for every new gift; see limits.archive.filterBytes",
      );
    return held;
  }

  /** `undefined` where it is not what was sealed: it could hide ids. The auditor names it. */
  private async loadFilter(segment: Segment, known: KnownFilter | undefined): Promise<KnownFilter | undefined> {
    const { mysql, log } = this.options;
    const sealed = await readSealed(mysql, segment);
    if (sealed && known?.digest.equals(sealed.filterDigest)) return known;
    const parts = await readFilterParts(mysql, segment);
    if (sealed && parts.length > 0 && filterDigest(parts).equals(sealed.filterDigest))
      return { filter: new Filter(parts, sealed.filterHashes), digest: sealed.filterDigest };
    const about = { table: segment.table, segment: segment.segment };
    log.error(about, "the filter of an archived segment is not what was sealed: it is not used; run npm run verify");
    return undefined;
  }
}

/** The filters of a service's table on one of so many servers, started; with their metrics. All servers share the memory. */
export async function openFilters(
  service: Service & { mysql: Database },
  table: ArchivedTable,
  servers = 1,
): Promise<ArchiveFilters> {
  const { metrics } = service.broker;
  for (const gauge of Object.values(gauges))
    metrics.register({ type: "gauge", ...gauge, labelNames: ["service", "table"] });
  const labels = { service: service.name, table: table.table };
  const filters = new ArchiveFilters({
    ...{ mysql: service.mysql, table, log: service.logger },
    bytesMost: Math.floor(limits.archive.filterBytes / servers),
    loaded: ({ bytes, missing }) => {
      metrics.set(gauges.bytes.name, bytes, labels);
      metrics.set(gauges.missing.name, missing, labels);
    },
  });
  await filters.start();
  return filters;
}
