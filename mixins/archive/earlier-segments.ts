import { limits } from "../../config/limits.ts";
import type { NamedKeys } from "../../config/named-keys.ts";
import type { Queryable } from "../mysql/database.ts";
import type { ArchivedTable } from "./archived-table.ts";
import type { Filter, Probe } from "./bloom.ts";
import { SegmentDiffers, sealedFilter } from "./sealed-filter.ts";
import type { IdRange, Segment } from "./segment-state.ts";
import { readSegments } from "./segment-store.ts";

/** Whether business ids of a segment that is to be moved are archived already: then something was charged twice. */

/** The rows of a segment as filters are asked about them: 16 bytes each. Pure. */
export class SegmentIds {
  private readonly rows: BigUint64Array;
  private readonly firsts: Uint32Array;
  private readonly steps: Uint32Array;
  private count = 0;

  constructor(most: number) {
    this.rows = new BigUint64Array(most);
    this.firsts = new Uint32Array(most);
    this.steps = new Uint32Array(most);
  }

  /** @throws RangeError beyond `most`: rows would be left out */
  add(row: bigint, { first, step }: Probe): void {
    if (this.count === this.rows.length)
      throw new RangeError(`more than ${this.count} rows: some were added meanwhile`);
    this.rows[this.count] = row;
    this.firsts[this.count] = first;
    this.steps[this.count] = step;
    this.count++;
  }

  /** The rows whose business id the filter may have. */
  suspectedBy(filter: Filter): bigint[] {
    const rows: bigint[] = [];
    for (let at = 0; at < this.count; at++)
      if (filter.mayHave({ first: this.firsts[at] as number, step: this.steps[at] as number }))
        rows.push(this.rows[at] as bigint);
    return rows;
  }
}

interface Asking {
  readonly db: Queryable;
  readonly archived: ArchivedTable;
  readonly keys: NamedKeys;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks up what the filters of earlier segments may have of a segment that is planned. @throws SegmentDiffers where a
 * business id is archived already, or a filter is not what was sealed
 */
export async function requireNoneEarlier(
  { db, archived, keys, signal }: Asking,
  segment: Segment,
  ids: SegmentIds,
): Promise<void> {
  const earlier = (await readSegments(db, archived.table)).filter((one) => one.segment < segment.segment);
  for (const one of earlier) {
    const rows = ids.suspectedBy(await sealedFilter(db, one, keys));
    for (let at = 0; at < rows.length; at += limits.archive.lookupIds) {
      signal?.throwIfAborted();
      const double = await doubleOf(db, archived, one, rows.slice(at, at + limits.archive.lookupIds));
      if (double)
        throw new SegmentDiffers(
          `segment ${segment.segment} of ${archived.table} differs: ${double.business_id} of row ${double.id} is ` +
            `archived as row ${double.other} of segment ${one.segment}`,
        );
    }
  }
}

async function doubleOf(
  db: Queryable,
  { table, archive, key, keyIndex }: ArchivedTable,
  { from, to }: IdRange,
  rows: readonly bigint[],
): Promise<{ id: string; business_id: string; other: string } | undefined> {
  const [double] = await db.query<{ id: string; business_id: string; other: string }>(
    `SELECT h.id, h.${key} AS business_id, a.id AS other FROM ${table} h FORCE INDEX (PRIMARY)
       STRAIGHT_JOIN ${archive} a FORCE INDEX (${keyIndex}) ON a.${key} = h.${key} AND a.id >= ? AND a.id < ?
     WHERE h.id IN (?) LIMIT 1`,
    [String(from), String(to), rows.map(String)],
  );
  return double;
}
