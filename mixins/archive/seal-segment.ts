import { createHmac } from "node:crypto";
import type { NamedKey, NamedKeys } from "../../config/named-keys.ts";
import type { IdRange, SegmentCount } from "./segment-state.ts";

/**
 * The seal of a segment: what its rows and its filter are, by a key that only the archiver and the auditor have. It is
 * written before the first row is moved, and what it is of never changes afterwards. Pure.
 */
export interface SealedSegment extends IdRange {
  readonly table: string;
  readonly segment: number;
  readonly month: string;
  readonly count: SegmentCount;
  readonly filterHashes: number;
  readonly filterDigest: Buffer;
}

export interface SegmentSeal {
  readonly keyName: string;
  readonly seal: Buffer;
}

function sealBy({ secret }: NamedKey, { table, segment, month, from, to, count, ...filter }: SealedSegment): Buffer {
  const fields = [
    ...["segment1", table, segment, month, from, to],
    ...[count.rows, count.sum, count.points, count.digest.toString("hex")],
    ...[count.firstTime.toISOString(), count.lastTime.toISOString()],
    ...[filter.filterHashes, filter.filterDigest.toString("hex")],
  ];
  return createHmac("sha256", secret).update(fields.join("\n")).digest();
}

export const sealSegment = ({ signing }: NamedKeys, segment: SealedSegment): SegmentSeal => ({
  keyName: signing.id,
  seal: sealBy(signing, segment),
});

/** `unknownKey`: the seal cannot be checked with these keys. */
export function verdictOfSegment(
  { all }: NamedKeys,
  segment: SealedSegment,
  { keyName, seal }: SegmentSeal,
): "valid" | "wrong" | "unknownKey" {
  const key = all.get(keyName);
  if (!key) return "unknownKey";
  return sealBy(key, segment).equals(seal) ? "valid" : "wrong";
}
