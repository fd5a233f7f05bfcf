/** Joins what several servers have of one list. Pure. */

interface Listed {
  readonly id: string;
}

const later = (a: string, b: string) => (a < b ? 1 : a > b ? -1 : 0);

/**
 * The newest of rows of several servers, by their times (ISO) and then by their ids, which are of one server each. On a
 * server the order of the ids stays, also where a clock went back.
 */
export function newestFirst<Row extends Listed>(
  pages: readonly (readonly Row[])[],
  timeOf: (row: Row) => string,
  limit: number,
): Row[] {
  const heads = pages.map(() => 0);
  const joined: Row[] = [];
  while (joined.length < limit) {
    let first: number | undefined;
    for (const [at, page] of pages.entries()) {
      const row = page[heads[at] as number];
      if (!row) continue;
      const best = first === undefined ? undefined : pages[first]?.[heads[first] as number];
      if (!best || later(timeOf(row), timeOf(best)) < 0 || (timeOf(row) === timeOf(best) && isGreater(row.id, best.id)))
        first = at;
    }
    if (first === undefined) break;
    joined.push(pages[first]?.[heads[first] as number] as Row);
    heads[first] = (heads[first] as number) + 1;
  }
  return joined;
}

const isGreater = (a: string, b: string) => BigInt(a) > BigInt(b);
