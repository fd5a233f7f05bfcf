import { deflateRawSync, inflateRawSync } from "node:zlib";
import { limits } from "../../config/limits.ts";

/**
 * Which record ids are counted: a bit for each, in chunks of `limits.rank.idsPerChunk` ids. Record ids are dense and
 * about ascending, so a chunk packs to a few bytes once most of its ids are counted. Pure.
 */

const { idsPerChunk } = limits.rank;

export const chunkOf = (recordId: number): number => Math.floor(recordId / idsPerChunk);

export class CountedIds {
  private readonly bits: Uint8Array;

  /** @param packed as `packed` returned it; nothing is counted where it is left out */
  constructor(packed?: Uint8Array) {
    if (!packed || packed.length === 0) {
      this.bits = new Uint8Array(idsPerChunk / 8);
      return;
    }
    this.bits = new Uint8Array(inflateRawSync(packed, { maxOutputLength: idsPerChunk / 8 }));
    if (this.bits.length !== idsPerChunk / 8) throw new RangeError("a chunk of counted record ids has another size");
  }

  has(recordId: number): boolean {
    const at = recordId % idsPerChunk;
    return ((this.bits[at >> 3] as number) & (1 << (at & 7))) !== 0;
  }

  /** Returns whether the id was not counted until now. */
  add(recordId: number): boolean {
    if (this.has(recordId)) return false;
    const at = recordId % idsPerChunk;
    (this.bits[at >> 3] as number) |= 1 << (at & 7);
    return true;
  }

  packed(): Buffer {
    return deflateRawSync(this.bits);
  }
}
