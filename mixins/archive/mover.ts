import type { NamedKeys } from "../../config/named-keys.ts";
import { Database, isDuplicateKey } from "../mysql/database.ts";
import { runDdl } from "../mysql/patient-ddl.ts";
import type { ArchivedTable } from "./archived-table.ts";
import { FilterBuilder, filterDigest } from "./bloom.ts";
import { nextRange, type PlanBounds } from "./boundaries.ts";
import { countSegment, differencesOf } from "./count-segment.ts";
import { addPartitionSql, countRows, hotRows, moveRows, partitionName, partitionsOf } from "./hot-rows-store.ts";
import type { Months } from "./months.ts";
import { sealSegment } from "./seal-segment.ts";
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
  readSealed,
  refuseOldNodes,
  storeFilter,
} from "./segment-store.ts";

export interface MoverOptions extends PlanBounds {
  readonly mysql: Database;
  /** The server and the login that may make partitions. */
  readonly url: string;
  readonly table: ArchivedTable;
  readonly months: Months;
  readonly keys: NamedKeys;
  /** The first release whose nodes know archives. */
  readonly release: number;
  readonly sliceRows: number;
  readonly settleMs: number;
  /** The nodes that know no archive: while there is one, nothing is filtered or moved. */
  readonly oldNodes: () => readonly string[];
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
export type Step = { readonly did: "nothing" } | { readonly did: "waits"; readonly why: string } | Moved;
interface Moved {
  readonly did: SegmentState | "partitioned";
  readonly segment: number;
  readonly rows: number;
}

/** Rows are not what they were before they were moved: the segment stays open, and somebody must look. */
export class SegmentDiffers extends Error {}

/**
 * Moves the closed months of one table, segment by segment. Each step is a transaction that first locks the segment and
 * looks at its state, or can be repeated; so a step after a crash goes on where the last one ended, and two movers at once
 * do nothing twice.
 */
export class Mover {
  private readonly options: MoverOptions;

  constructor(options: MoverOptions) {
    this.options = options;
  }

  /** The next step of the table. Fails: unavailable; SegmentDiffers. */
  async step(): Promise<Step> {
    const { mysql, table } = this.options;
    const last = await lastSegment(mysql, table.table);
    const step = !last || last.state === "closed" ? await this.plan(last) : await this.advance(last);
    if (step.did !== "nothing" && step.did !== "waits") await this.options.reached?.(step.did);
    return step;
  }

  private async advance(segment: Segment): Promise<Step> {
    if (segment.movedTo >= segment.to) return this.close(segment);
    // Before each slice: a node may be found late.
    const old = this.options.oldNodes();
    if (old.length > 0) return { did: "waits", why: `nodes of a release that knows no archive run: ${old.join(", ")}` };
    return segment.state === "planned" ? this.filter(segment) : this.move(segment);
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
    const { mysql, table, keys, release, signal } = this.options;
    if (!(await partitionsOf(mysql, table)).has(partitionName(segment.segment))) return this.partition(segment);
    const builder = new FilterBuilder(await countRows(mysql, table.table, segment));
    const each = (id: string) => builder.add(id);
    const count = await countSegment(mysql, table, "table", segment, { each, signal });
    if (!count) throw new Error(`segment ${segment.segment} of ${table.table} has no rows`);
    const parts = builder.parts();
    const facts = { ...segment, count, filterHashes: builder.hashes, filterDigest: filterDigest(parts) };
    await mysql.transaction(async (tx) => {
      const present = await lockSegment(tx, segment);
      if (present.state !== "planned") return;
      await refuseOldNodes(tx, release);
      await storeFilter(tx, present, facts, sealSegment(keys, facts), parts);
      // Last: transactions of the ledger wait from here to the commit.
      await raiseRevision(tx, table.table);
    });
    return { did: "filtered", segment: segment.segment, rows: 0 };
  }

  private async partition(segment: Segment): Promise<Step> {
    const { mysql, table, url } = this.options;
    const ddl = new Database(mysql.name, { url, connections: 1, statementTimeoutMs: 0 });
    try {
      await runDdl(ddl, addPartitionSql(table, segment.segment, segment.to), false);
    } finally {
      await ddl.close();
    }
    return { did: "partitioned", segment: segment.segment, rows: 0 };
  }

  private async move(segment: Segment): Promise<Step> {
    const { mysql, table, sliceRows, settleMs } = this.options;
    if (segment.state === "filtered" && !(await isFilteredFor(mysql, segment, settleMs)))
      return { did: "waits", why: "nodes are loading its filter" };
    const rows = await mysql.transaction(async (tx) => {
      const present = await lockSegment(tx, segment);
      if (present.state === "closed" || present.movedTo >= present.to) return 0;
      const moved = await moveRows(tx, table, { from: present.movedTo, to: present.to }, sliceRows);
      await noteMoved(tx, present, moved.movedTo);
      return moved.rows;
    });
    return { did: "emptying", segment: segment.segment, rows };
  }

  private async close(segment: Segment): Promise<Step> {
    const { mysql, table, signal } = this.options;
    const sealed = await readSealed(mysql, segment);
    const count = await countSegment(mysql, table, "archive", segment, { signal });
    const differences = sealed ? differencesOf(sealed.count, count) : ["it has no seal"];
    if (differences.length > 0)
      throw new SegmentDiffers(`segment ${segment.segment} of ${table.table} differs: ${differences.join("; ")}`);
    await mysql.transaction(async (tx) => {
      const present = await lockSegment(tx, segment);
      if (present.state === "closed") return;
      await closeSegment(tx, present);
      // So that nodes look for its rows in the archive alone.
      await raiseRevision(tx, table.table);
    });
    return { did: "closed", segment: segment.segment, rows: 0 };
  }
}
