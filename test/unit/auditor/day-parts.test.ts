import { limits } from "../../../config/limits.ts";
import { isOfPart, nextSpan } from "../../../services/auditor/checks/day-parts.ts";

const size = BigInt(limits.books.closedRowsPart);
const days = limits.books.closedRowsDays;
const last = 2n ** 64n - 1n;

/** The spans of a pass over all ids. */
function spans(archivedTo: bigint, part: number, to = last) {
  const all: { from: bigint; to: bigint }[] = [];
  for (let from = 0n; ; ) {
    const span = nextSpan({ from, to }, archivedTo, part);
    if (!span) return all;
    all.push(span);
    from = span.to;
    if (from >= to) return all;
  }
}

describe("the parts of days", () => {
  test("each archived id is of one part, and in the spans of that part alone; what is hot is in each", () => {
    const archivedTo = size * BigInt(days) * 2n + 12_345n;
    const ids = [1n, size - 1n, size, size + 1n, size * 27n, size * 28n, size * 29n - 1n, archivedTo - 1n, archivedTo];
    for (const id of ids) {
      const parts = Array.from({ length: days }, (_, part) => part).filter((part) =>
        spans(archivedTo, part).some(({ from, to }) => id > from && id <= to),
      );
      expect([id, parts]).toEqual([id, [Number((id / size) % BigInt(days))]]);
      expect(isOfPart(id, parts[0] as number)).toBe(true);
    }
    for (let part = 0; part < days; part++) {
      const all = spans(archivedTo, part);
      expect(all.at(-1)).toEqual({ from: archivedTo, to: last });
      for (const { from, to } of all.slice(0, -1)) expect(to - from <= size).toBe(true);
    }
  });

  test("an archive of very many ids is gone through in whole turns", () => {
    const archivedTo = size * BigInt(days) * 1_000n;
    expect(spans(archivedTo, 5)).toHaveLength(1_001);
  });

  test("nothing archived: one span, and none beyond its end", () => {
    expect(spans(0n, 3)).toEqual([{ from: 0n, to: last }]);
    expect(nextSpan({ from: 10n, to: 10n }, 0n, 3)).toBeNull();
    expect(nextSpan({ from: size * 7n, to: size * 7n + 50n }, size * 20n, 3)).toBeNull();
    expect(spans(size * 40n, 3, size * 3n + 10n)).toEqual([{ from: size * 3n - 1n, to: size * 3n + 10n }]);
  });
});
