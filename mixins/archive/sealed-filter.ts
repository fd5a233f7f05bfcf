import type { NamedKeys } from "../../config/named-keys.ts";
import type { Queryable } from "../mysql/database.ts";
import { Filter, filterDigest } from "./bloom.ts";
import { verdictOfSegment } from "./seal-segment.ts";
import type { Segment } from "./segment-state.ts";
import { readFilterParts, readSealed } from "./segment-store.ts";

/** Rows are not what they were before they were moved: the segment stays as it is, and somebody must look. */
export class SegmentDiffers extends Error {}

/** The filter of a segment. @throws SegmentDiffers where it is not what was sealed: it could hide ids */
export async function sealedFilter(db: Queryable, segment: Segment, keys: NamedKeys): Promise<Filter> {
  const sealed = await readSealed(db, segment);
  const parts = await readFilterParts(db, segment);
  const isRight =
    sealed !== undefined &&
    verdictOfSegment(keys, sealed, sealed) === "valid" &&
    parts.length > 0 &&
    filterDigest(parts).equals(sealed.filterDigest);
  if (!isRight)
    throw new SegmentDiffers(`the filter of segment ${segment.segment} of ${segment.table} is not as sealed`);
  return new Filter(parts, sealed.filterHashes);
}
