import { Filter, FilterBuilder, probeOf } from "../../../mixins/archive/bloom.ts";
import { SegmentIds } from "../../../mixins/archive/earlier-segments.ts";
import { moveRows } from "../../../mixins/archive/hot-rows-store.ts";
import { SegmentDiffers } from "../../../mixins/archive/sealed-filter.ts";
import type { Transaction } from "../../../mixins/mysql/database.ts";
import { archivedRecords } from "../../../services/archived-tables.ts";

const filterOf = (...ids: string[]) => {
  const builder = new FilterBuilder(ids.length);
  for (const id of ids) builder.add(probeOf(id));
  return new Filter(builder.parts(), builder.hashes);
};

test("rows whose business id an earlier filter has are all found, with ids beyond 2^53", () => {
  const ids = new SegmentIds(3);
  ids.add(2n ** 60n, probeOf("a"));
  ids.add(2n ** 60n + 1n, probeOf("b"));
  ids.add(2n ** 60n + 2n, probeOf("c"));
  expect(ids.suspectedBy(filterOf("b", "c", "z"))).toEqual([2n ** 60n + 1n, 2n ** 60n + 2n]);
  expect(() => ids.add(1n, probeOf("d"))).toThrow(RangeError);
});

/** A database that copies rows with these business ids, and notes its statements. */
function books(...ids: string[]) {
  const ran: string[] = [];
  const tx = {
    query: async (sql: string) =>
      sql.includes("OFFSET") ? [] : ids.map((business_id, at) => ({ id: String(at + 1), business_id })),
    run: async (sql: string) => {
      ran.push(sql.trim().split(" ")[0] as string);
      return { affectedRows: ids.length };
    },
  };
  return { ran, tx: tx as unknown as Transaction };
}

test("rows are deleted once the segment's filter has all of their business ids, and never before", async () => {
  const range = { from: 1n, to: 9n };
  const right = books("a", "b");
  await moveRows(right.tx, archivedRecords, range, { rows: 10, filter: filterOf("a", "b") });
  expect(right.ran).toEqual(["INSERT", "DELETE"]);
  const lacking = books("a", "b");
  await expect(moveRows(lacking.tx, archivedRecords, range, { rows: 10, filter: filterOf("a") })).rejects.toThrow(
    SegmentDiffers,
  );
  expect(lacking.ran).toEqual(["INSERT"]);
});
