import { hash } from "node:crypto";
import { limits } from "../../config/limits.ts";

/**
 * Bloom filters of business ids. A filter knows every id that was added; of one in several hundred others it says that it
 * may have it. A filter is stored, so this form must not change: one with other hashes than `hashes` of its segment says
 * cannot be read. Pure.
 */

/** Two numbers of an id, of which its bits in every filter follow: an id is hashed once for all filters. */
export interface Probe {
  readonly first: number;
  readonly step: number;
}

export function probeOf(id: string): Probe {
  const digest = hash("sha256", id, "buffer");
  return { first: digest.readUInt32BE(0), step: (digest.readUInt32BE(4) | 1) >>> 0 };
}

/** The bytes of a filter for so many ids. */
export const filterBytesFor = (ids: number): number =>
  Math.max(8, Math.ceil((ids * limits.archive.filterBitsPerId) / 8));

/** A filter that is being made. */
export class FilterBuilder {
  readonly hashes = limits.archive.filterHashes;
  private readonly bytes: Buffer;

  constructor(ids: number) {
    this.bytes = Buffer.alloc(filterBytesFor(ids));
  }

  add({ first, step }: Probe): void {
    const bits = this.bytes.length * 8;
    for (let n = 0; n < this.hashes; n++) {
      const bit = (first + n * step) % bits;
      this.bytes[bit >>> 3] = (this.bytes[bit >>> 3] as number) | (1 << (bit & 7));
    }
  }

  /** The filter in parts that fit into a row each. */
  parts(bytes: number = limits.archive.filterPartBytes): Buffer[] {
    return Array.from({ length: Math.ceil(this.bytes.length / bytes) }, (_, at) =>
      this.bytes.subarray(at * bytes, (at + 1) * bytes),
    );
  }
}

/** A filter as it was stored. */
export class Filter {
  private readonly bytes: Buffer;
  private readonly hashes: number;

  constructor(parts: readonly Buffer[], hashes: number) {
    this.bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    this.hashes = hashes;
  }

  get size(): number {
    return this.bytes.length;
  }

  /** False where the id was certainly not added. */
  mayHave({ first, step }: Probe): boolean {
    const bits = this.bytes.length * 8;
    for (let n = 0; n < this.hashes; n++) {
      const bit = (first + n * step) % bits;
      if (((this.bytes[bit >>> 3] as number) & (1 << (bit & 7))) === 0) return false;
    }
    return true;
  }
}

/** SHA-256 over the parts, as the segment has it. */
export function filterDigest(parts: readonly Buffer[]): Buffer {
  return hash("sha256", parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts), "buffer");
}
