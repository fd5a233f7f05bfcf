import { limits } from "../../../config/limits.ts";
import {
  dueParts,
  isOfParts,
  nextSpan,
  partOf,
  partsSince,
  withParts,
} from "../../../services/auditor/checks/day-parts.ts";

const size = BigInt(limits.books.closedRowsPart);
const days = limits.books.closedRowsDays;
const last = 2n ** 64n - 1n;

/** The spans of a pass over all ids. */
function spans(archivedTo: bigint, part: number | number[], to = last) {
  const all: { from: bigint; to: bigint }[] = [];
  for (let from = 0n; ; ) {
    const span = nextSpan({ from, to }, archivedTo, new Set([part].flat()));
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
      expect(isOfParts(id, new Set(parts))).toBe(true);
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

  test("of several parts each is in the spans", () => {
    const all = spans(size * BigInt(days) - 1n, [27, 3, 4]);
    expect(all.slice(0, -1).map(({ from }) => (from + 1n) / size)).toEqual([3n, 4n, 27n]);
  });

  test("a pass compares the parts of all days since the last complete one began, at most all", () => {
    const day = 24 * 3_600_000;
    const now = 20_000 * day + 5_000;
    const part = (ago: number) => partOf(now - ago * day);
    expect(partsSince(now - 1_000, now)).toEqual(new Set([part(0)]));
    expect(partsSince(now - day, now)).toEqual(new Set([part(0)]));
    expect(partsSince(now - 3 * day, now)).toEqual(new Set([part(0), part(1), part(2)]));
    expect(partsSince(now - 500 * day, now).size).toBe(days);
    expect(partsSince(undefined, now).size).toBe(days);
  });

  test("the parts of a pass stay while it runs, beside rounds that have today's", async () => {
    const parts = new Set([1, 2]);
    const pass = withParts(parts, async () => {
      await null;
      return dueParts();
    });
    expect(dueParts()).toEqual(new Set([partOf(Date.now())]));
    expect(await pass).toBe(parts);
  });

  test("nothing archived: one span, and none beyond its end", () => {
    expect(spans(0n, 3)).toEqual([{ from: 0n, to: last }]);
    expect(nextSpan({ from: 10n, to: 10n }, 0n, new Set([3]))).toBeNull();
    expect(nextSpan({ from: size * 7n, to: size * 7n + 50n }, size * 20n, new Set([3]))).toBeNull();
    expect(spans(size * 40n, 3, size * 3n + 10n)).toEqual([{ from: size * 3n - 1n, to: size * 3n + 10n }]);
  });
});
