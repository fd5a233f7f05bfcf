import { limits } from "../../config/limits.ts";
import type { NamedKeys } from "../../config/named-keys.ts";
import { type Database, isDuplicateKey, type Transaction } from "../mysql/database.ts";
import { isLockedOut } from "../mysql/server-errors.ts";
import type { ArchivedTable } from "./archived-table.ts";
import { type Filter, FilterBuilder, filterDigest, probeOf } from "./bloom.ts";
import { nextRange, type PlanBounds } from "./boundaries.ts";
import { countSegment, differencesOf } from "./count-segment.ts";
import { requireNoneEarlier, SegmentIds } from "./earlier-segments.ts";
import { countRows, hotRows, moveRows } from "./hot-rows-store.ts";
import type { Months } from "./months.ts";
import { makePartition, partitionName, partitionsOf } from "./partitions.ts";
import { sealSegment } from "./seal-segment.ts";
import { SegmentDiffers, sealedFilter } from "./sealed-filter.ts";
import type { Segment, SegmentState } from "./segment-state.ts";
import {
  closeSegment,
  databaseTime,
  isFilteredFor,
  lastSegment,
  lockSegment,
  noteMoved,
  planSegment,
  raiseRevision,
  readFilterParts,
  readSealed,
  storeParts,
  storeSeal,
} from "./segment-store.ts";

export interface MoverOptions extends PlanBounds {
  readonly mysql: Database;
  /** The server and the login that may make partitions. */
  readonly url: string;
  readonly table: ArchivedTable;
  readonly months: Months;
  readonly keys: NamedKeys;
  readonly sliceRows: number;
  readonly settleMs: number;
  /** The pause after a lock was not had in time. */
  readonly lockPauseMs?: number;
  readonly partitionPauseMs?: number;
  /** Why nothing may be filtered or moved at this moment: nodes that know no archive run. */
  readonly obstacle: () => string | undefined;
  /** Ends the counting of a segment, which may take a minute. */
  readonly signal?: AbortSignal;
  /** For tests: throws after a step to simulate a crash. */
  readonly reached?: (step: MoverStep) => void | Promise<void>;
}

export type MoverStep = SegmentState | "partitioned";

/**
 * What a step did: nothing is due, the segment waits (until nodes have its filter, or old nodes are gone), or it got on.
 * `rows`: rows moved.
 */
export type Step = { readonly did: "nothing" } | Waits | Moved;
interface Waits {
  readonly did: "waits";
  readonly why: string;
}
interface Moved {
  readonly did: SegmentState | "partitioned";
  readonly segment: number;
  readonly rows: number;
}

/**
 * Moves the closed months of one table, segment by segment. Each step is a transaction that first locks the segment and
 * looks at its state, or can be repeated; so a step after a crash goes on where the last one ended, and two movers at once
 * do nothing twice.
 */
export class Mover {
  private readonly options: MoverOptions;
  /** After a lock was not had: until when nothing is tried, performance.now. */
  private pause: { readonly until: number; readonly why: string } | undefined;
  /** The filter of the segment whose rows are moved. */
  private moving: { readonly segment: number; readonly filter: Filter } | undefined;

  constructor(options: MoverOptions) {
    this.options = options;
  }

  /** The next step of the table. Fails: unavailable; SegmentDiffers. */
  async step(): Promise<Step> {
    const { mysql, table } = this.options;
    if (this.pause && performance.now() < this.pause.until) return { did: "waits", why: this.pause.why };
    const last = await lastSegment(mysql, table.table);
    const step = !last || last.state === "closed" ? await this.plan(last) : await this.advance(last);
    if (step.did !== "nothing" && step.did !== "waits") await this.options.reached?.(step.did);
    return step;
  }

  private async advance(segment: Segment): Promise<Step> {
    if (segment.movedTo >= segment.to) return this.close(segment);
    // Before each slice: a node may be found late.
    const why = this.options.obstacle();
    if (why !== undefined) return { did: "waits", why };
    return segment.state === "planned" ? this.filter(segment) : this.move(segment);
  }

  /**
   * Runs a transaction that takes the exclusive lock of the revision. Charges wait behind it: so it gives up after
   * `limits.archive.lockWaitS`, and is not tried again for a while.
   */
  private async exclusively(work: (tx: Transaction) => Promise<void>): Promise<Waits | undefined> {
    const { mysql, lockPauseMs = limits.archive.lockPauseMs } = this.options;
    try {
      await mysql.transactionOnce(work, limits.archive.lockWaitS);
      return undefined;
    } catch (error) {
      if (!isLockedOut(error)) throw error;
      return this.waitFor(lockPauseMs, "another transaction holds the revision of the filters");
    }
  }

  private waitFor(ms: number, why: string): Waits {
    this.pause = { until: performance.now() + ms, why };
    return { did: "waits", why };
  }

  private async plan(last: Segment | undefined): Promise<Step> {
    const { mysql, table, months } = this.options;
    const from = last?.to ?? 0n;
    const range = await nextRange(hotRows(mysql, table), from, months, await databaseTime(mysql), this.options);
    if (!range) return { did: "nothing" };
    const segment = (last?.segment ?? 0) + 1;
    const about = { table: table.table, segment, movedTo: from, state: "planned", ...range } as const;
    try {
      await planSegment(mysql, about);
    } catch (error) {
      // The next step finds it.
      if (!isDuplicateKey(error)) throw error;
    }
    return { did: "planned", segment, rows: 0 };
  }

  private async filter(segment: Segment): Promise<Step> {
    const { mysql, table, keys, signal } = this.options;
    if (!(await partitionsOf(mysql, table)).has(partitionName(segment.segment))) return this.partition(segment);
    const most = await countRows(mysql, table.table, segment);
    const [builder, ids] = [new FilterBuilder(most), new SegmentIds(most)];
    const each = (businessId: string, id: bigint) => {
      const probe = probeOf(businessId);
      builder.add(probe);
      ids.add(id, probe);
    };
    const count = await countSegment(mysql, table, "table", segment, { each, signal });
    if (!count) throw new Error(`segment ${segment.segment} of ${table.table} has no rows`);
    await requireNoneEarlier({ db: mysql, archived: table, keys, signal }, segment, ids);
    const parts = builder.parts();
    const facts = { ...segment, count, filterHashes: builder.hashes, filterDigest: filterDigest(parts) };
    await this.keepParts(segment, parts);
    // Again: the counting took a while.
    const why = this.options.obstacle();
    if (why !== undefined) return { did: "waits", why };
    const waits = await this.exclusively(async (tx) => {
      const present = await lockSegment(tx, segment);
      if (present.state !== "planned") return;
      await storeSeal(tx, present, facts, sealSegment(keys, facts));
      // Last: transactions of the ledger wait from here to the commit.
      await raiseRevision(tx, table.table);
    });
    return waits ?? { did: "filtered", segment: segment.segment, rows: 0 };
  }

  /** Stores a filter before the transaction that charges wait for; after a crash it is there already. */
  private async keepParts(segment: Segment, parts: readonly Buffer[]): Promise<void> {
    const { mysql } = this.options;
    try {
      if ((await readFilterParts(mysql, segment)).length === 0)
        await mysql.transaction((tx) => storeParts(tx, segment, parts));
    } catch (error) {
      // Another mover has stored it at the same time.
      if (!isDuplicateKey(error)) throw error;
    }
    if (!filterDigest(await readFilterParts(mysql, segment)).equals(filterDigest(parts)))
      throw new SegmentDiffers(
        `a stored filter of segment ${segment.segment} of ${segment.table}, which is planned, is not that of its rows: ` +
          "remove its rows of t_archive_filter",
      );
  }

  private async partition(segment: Segment): Promise<Step> {
    const { partitionPauseMs = limits.archive.partitionPauseMs } = this.options;
    const held = await makePartition(this.options, segment);
    if (held !== undefined) return this.waitFor(partitionPauseMs, held);
    return { did: "partitioned", segment: segment.segment, rows: 0 };
  }

  private async move(segment: Segment): Promise<Step> {
    const { mysql, table, sliceRows, settleMs } = this.options;
    if (segment.state === "filtered" && !(await isFilteredFor(mysql, segment, settleMs)))
      return { did: "waits", why: "nodes are loading its filter" };
    const filter = await this.filterOf(segment);
    // Again: the filter was read.
    const why = this.options.obstacle();
    if (why !== undefined) return { did: "waits", why };
    const rows = await mysql.transaction(async (tx) => {
      const present = await lockSegment(tx, segment);
      if (present.state === "closed" || present.movedTo >= present.to) return 0;
      const range = { from: present.movedTo, to: present.to };
      const moved = await moveRows(tx, table, range, { rows: sliceRows, filter });
      await noteMoved(tx, present, moved.movedTo);
      return moved.rows;
    });
    return { did: "emptying", segment: segment.segment, rows };
  }

  private async filterOf(segment: Segment): Promise<Filter> {
    const { mysql, keys } = this.options;
    if (this.moving?.segment !== segment.segment)
      this.moving = { segment: segment.segment, filter: await sealedFilter(mysql, segment, keys) };
    return this.moving.filter;
  }

  private async close(segment: Segment): Promise<Step> {
    const { mysql, table, signal } = this.options;
    const sealed = await readSealed(mysql, segment);
    const count = await countSegment(mysql, table, "archive", segment, { signal });
    const differences = sealed ? differencesOf(sealed.count, count) : ["it has no seal"];
    if (differences.length > 0)
      throw new SegmentDiffers(`segment ${segment.segment} of ${table.table} differs: ${differences.join("; ")}`);
    const waits = await this.exclusively(async (tx) => {
      const present = await lockSegment(tx, segment);
      if (present.state === "closed") return;
      await closeSegment(tx, present);
      // So that nodes look for its rows in the archive alone.
      await raiseRevision(tx, table.table);
    });
    this.moving = undefined;
    return waits ?? { did: "closed", segment: segment.segment, rows: 0 };
  }
}
