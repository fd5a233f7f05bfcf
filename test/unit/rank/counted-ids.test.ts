import fc from "fast-check";
import { limits } from "../../../config/limits.ts";
import { CountedIds, chunkOf } from "../../../services/rank/counted-ids.ts";

const { idsPerChunk } = limits.rank;

test("each id counts once, and is known after it was stored", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(idsPerChunk - 1)), (ids) => {
      const counted = new CountedIds();
      expect(ids.filter((id) => counted.add(id)).length).toBe(new Set(ids).size);
      const stored = new CountedIds(counted.packed());
      expect(ids.filter((id) => stored.add(id + idsPerChunk * 7))).toEqual([]);
    }),
  );
});

test("a chunk is as small as its column, whichever ids are counted, and a full one has a few bytes", () => {
  const full = new CountedIds();
  const random = new CountedIds();
  for (let id = 0; id < idsPerChunk; id++) {
    full.add(id);
    if (Math.random() < 0.5) random.add(id);
  }
  expect(full.packed().length).toBeLessThan(100);
  expect(random.packed().length).toBeLessThan(10_000);
});

test("ids of one chunk follow each other", () => {
  expect([0, idsPerChunk - 1, idsPerChunk].map(chunkOf)).toEqual([0, 0, 1]);
});
