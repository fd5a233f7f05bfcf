import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../background-loop.ts";
import type { Database, Queryable, Transaction } from "../mysql/database.ts";
import type { ArchivedTable } from "./archived-table.ts";
import { Filter, filterDigest } from "./bloom.ts";
import { HeldFilters, type HeldSegment, type Suspects, whyWrong } from "./held-filters.ts";
import { allIds, isFiltered, type Segment } from "./segment-state.ts";
import { holdRevision, readFilterParts, readRevision, readSealed, readSegments } from "./segment-store.ts";

/** The filters that a transaction needs are newer than those of this node: load them, and run it again. */
export class FiltersBehind extends Error {
  constructor(table: string) {
    super(`the filters of ${table} have changed`);
  }
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

/** Returns the filters of a transaction, as its first statement. */
export type Hold = (tx: Transaction) => Promise<HeldFilters>;

interface FiltersOptions {
  readonly mysql: Database;
  readonly table: ArchivedTable;
  readonly log: Pick<Log, "warn" | "error">;
  /** What the filters may take in memory. */
  readonly bytesMost: number;
  /** Before something newer is loaded; where it rejects, nothing is written with what is older. */
  readonly beforeLoad?: () => Promise<void>;
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
  private held = new HeldFilters([]);
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

  /**
   * Loads the filters, and then asks for newer ones until `stop`. Rejects where the database is away; with `mayBeAway` they
   * are loaded once it is there: until then ids are looked for in the whole archive, and what writes loads them first.
   */
  async start({ mayBeAway = false }: { readonly mayBeAway?: boolean | undefined } = {}): Promise<void> {
    if (!mayBeAway) await this.load();
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
   * The first statement of a transaction that writes business ids. Until it ends, nothing that the filters that it returns
   * do not know leaves the hot table. @throws FiltersBehind
   */
  async hold(tx: Transaction): Promise<HeldFilters> {
    const { mysql, table } = this.options;
    // What is loaded while the database answers may be newer than its answer.
    const { held, revision, generation } = this;
    const present = await holdRevision(tx, table.table);
    if (present !== revision || mysql.generation !== generation) throw new FiltersBehind(table.table);
    return held;
  }

  /**
   * Runs a transaction that calls `hold` as its first statement, and again with newer filters where they were behind. Fails:
   * unavailable, where they are behind again and again, or are not to be believed.
   */
  async holding<T>(work: (hold: Hold) => Promise<T>): Promise<T> {
    for (let loads = 0; ; loads++)
      try {
        return await work((tx) => this.hold(tx));
      } catch (error) {
        if (!(error instanceof FiltersBehind)) throw error;
        if (loads >= limits.archive.filterTries) throw fail("unavailable", { cause: error.message });
        await this.load();
      }
  }

  /**
   * Where to look for ids that were not in the hot table when it was asked, just before. Filters that may be too old say
   * nothing: a segment is filtered for `limits.archive.settleMs` before its first row is moved.
   */
  lookups(ids: readonly string[]): Suspects[] {
    if (ids.length === 0) return [];
    const isFresh = performance.now() - this.knownAt <= limits.archive.freshMs;
    return isFresh ? this.held.suspects(ids) : [{ ...allIds, ids, isClosed: false }];
  }

  private async loadNewer(): Promise<void> {
    const { mysql, table, loaded, beforeLoad } = this.options;
    const askedAt = performance.now();
    const { generation } = mysql;
    if ((await readRevision(mysql, table.table)) !== this.revision || generation !== this.generation) {
      await beforeLoad?.();
      // As of one moment, on one connection: the segments are those of the revision.
      const { revision, segments } = await mysql.snapshot(async (db) => ({
        revision: await readRevision(db, table.table),
        segments: await this.loadSegments(db),
      }));
      this.requireRight(segments);
      [this.held, this.revision, this.generation] = [new HeldFilters(segments), revision, generation];
      const filters = segments.flatMap(({ filter }) => filter ?? []);
      const bytes = filters.reduce((sum, { size }) => sum + size, 0);
      loaded?.({ bytes, missing: segments.length - filters.length });
    }
    this.knownAt = askedAt;
  }

  /** The newest first, as long as they fit: later requests are more often repeated than earlier ones. */
  private async loadSegments(db: Queryable): Promise<HeldSegment[]> {
    const { table, log, bytesMost } = this.options;
    const known = new Map(this.held.segments.map((one) => [one.segment.segment, one]));
    const segments = (await readSegments(db, table.table)).filter(({ state }) => isFiltered(state)).reverse();
    const held: HeldSegment[] = [];
    let bytes = 0;
    for (const segment of segments) {
      const one = await this.loadSegment(db, segment, { known: known.get(segment.segment), fits: bytes < bytesMost });
      bytes += one.filter?.size ?? 0;
      held.push(one);
    }
    const missing = held.filter(({ filter }) => !filter).length;
    if (missing > 0)
      log.warn(
        { table: table.table, segments: missing, bytes },
        "filters of archived months are not held: their rows are looked up for every new gift; see ARCHIVE_FILTER_MB",
      );
    return held;
  }

  /** Without its filter where that is not what was sealed: it could hide ids. The auditor names it. */
  private async loadSegment(
    db: Queryable,
    segment: Segment,
    { known, fits }: { readonly known: HeldSegment | undefined; readonly fits: boolean },
  ): Promise<HeldSegment> {
    const sealed = await readSealed(db, segment);
    const identity = sealed?.filterDigest.toString("hex");
    if (!fits) return { segment, identity, filter: undefined };
    if (known?.filter && known.identity === identity) return { segment, identity, filter: known.filter };
    const parts = await readFilterParts(db, segment);
    if (sealed && parts.length > 0 && filterDigest(parts).equals(sealed.filterDigest))
      return { segment, identity, filter: new Filter(parts, sealed.filterHashes) };
    const about = { table: segment.table, segment: segment.segment };
    const text = "the filter of an archived segment is not what was sealed: it is not used; run npm run verify";
    this.options.log.error(about, text);
    return { segment, identity, filter: undefined };
  }

  /** Nothing is written with segments that hide rows. Fails: unavailable. */
  private requireRight(segments: readonly HeldSegment[]): void {
    const { log, table } = this.options;
    const why = whyWrong(segments.toReversed(), this.held.segments);
    if (why === undefined) return;
    log.error({ table: table.table, why }, "the archived segments hide rows: nothing is written; run npm run verify");
    throw fail("unavailable", { cause: `the archived segments of ${table.table} are wrong: ${why}` });
  }
}

/** The filters of a service's table on one server, of so many bytes at the most, started; with their metrics. */
export async function openFilters(
  service: Service & { mysql: Database },
  table: ArchivedTable,
  bytesMost: number,
  { mayBeAway, beforeLoad }: { readonly mayBeAway?: boolean } & Pick<FiltersOptions, "beforeLoad"> = {},
): Promise<ArchiveFilters> {
  const { metrics } = service.broker;
  for (const gauge of Object.values(gauges))
    metrics.register({ type: "gauge", ...gauge, labelNames: ["service", "table"] });
  const labels = { service: service.name, table: table.table };
  const filters = new ArchiveFilters({
    ...{ mysql: service.mysql, table, log: service.logger },
    ...(beforeLoad && { beforeLoad }),
    bytesMost,
    loaded: ({ bytes, missing }) => {
      metrics.set(gauges.bytes.name, bytes, labels);
      metrics.set(gauges.missing.name, missing, labels);
    },
  });
  await filters.start({ mayBeAway });
  return filters;
}
