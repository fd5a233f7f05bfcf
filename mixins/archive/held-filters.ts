import { type Filter, type Probe, probeOf } from "./bloom.ts";
import type { IdRange, Segment } from "./segment-state.ts";

/** Business ids that may be in the archive, and where. */
export interface Suspects extends IdRange {
  readonly ids: readonly string[];
  /** False while rows of the range may be in the hot table too. */
  readonly isClosed: boolean;
}

export interface HeldSegment {
  readonly segment: Segment;
  /** What of it is sealed, in one text; `undefined` where nothing is. */
  readonly identity: string | undefined;
  /** `undefined` where it does not fit into this node's memory or is not what was sealed: any id may be in it. */
  readonly filter: Filter | undefined;
}

/** The segments and filters of a table as of one revision. It never changes: newer ones are another object. Pure. */
export class HeldFilters {
  readonly segments: readonly HeldSegment[];

  constructor(segments: readonly HeldSegment[]) {
    this.segments = segments;
  }

  /** Where these ids may be archived: within the transaction that got these filters by `hold`. */
  suspects(ids: readonly string[]): Suspects[] {
    if (this.segments.length === 0 || ids.length === 0) return [];
    const probes = ids.map((id): [string, Probe] => [id, probeOf(id)]);
    return this.segments.flatMap(({ segment: { from, to, state }, filter }) => {
      const own = filter ? probes.filter(([, probe]) => filter.mayHave(probe)).map(([id]) => id) : ids;
      return own.length === 0 ? [] : [{ from, to, ids: own, isClosed: state === "closed" }];
    });
  }
}

/**
 * Why no id may be written with these segments, in the order of their numbers; `undefined` where it may. They follow each
 * other from id 0 without a gap, and each is what this node has seen before: else an archived id could be charged again.
 */
export function whyWrong(segments: readonly HeldSegment[], before: readonly HeldSegment[]): string | undefined {
  let [number, end] = [1, 0n];
  for (const { segment } of segments) {
    if (segment.segment !== number || segment.from !== end || segment.to <= segment.from)
      return `segment ${segment.segment} is of ids ${segment.from} to ${segment.to}, after ${number - 1} that ends with ${end}`;
    number++;
    end = segment.to;
  }
  const present = new Map(segments.map((one) => [one.segment.segment, one]));
  for (const { segment, identity } of before) {
    const same = present.get(segment.segment);
    if (!same) return `segment ${segment.segment} is gone`;
    if (same.segment.to !== segment.to || same.identity !== identity)
      return `segment ${segment.segment} is not what it was before`;
  }
  return undefined;
}
