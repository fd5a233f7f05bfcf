import { createHash, type Hash } from "node:crypto";
import { limits } from "../../../config/limits.ts";
import type { ArchivedTable } from "../../../mixins/archive/archived-table.ts";
import { Filter, filterDigest, probeOf } from "../../../mixins/archive/bloom.ts";
import { rowSeparator } from "../../../mixins/archive/row-text.ts";
import type { SealedSegment } from "../../../mixins/archive/seal-segment.ts";
import type { Database, Queryable } from "../../../mixins/mysql/database.ts";
import type { Difference } from "../differences.ts";
import { bookOf, pageEndOf, placesOf } from "./book-rows-store.ts";
import type { Check, Page } from "./check.ts";
import { isOfTodaysSegments } from "./day-parts.ts";
import { segmentName } from "./segments.ts";
import { type Counted, countedRows, filterParts, storedSegments, textRows, twiceIn } from "./segments-store.ts";

/**
 * The rows of sealed segments, wherever they are, against what was sealed before the first one was moved: their number and
 * sums each time, and of some segments each row, whether its filter has it, and whether its business id is hot again.
 */

/** Where a page begins: what of the segment was read before it. */
interface Place {
  readonly segment: number;
  /** The last id that was read, as text. */
  readonly at: string;
  readonly rows: string;
  readonly sum: string;
  readonly points: string;
}

/** What is held between two pages; it is as of the place, so that a page can be read twice. */
interface Held {
  readonly place: string;
  readonly digest: Hash;
}

const placeText = (place: Place) => JSON.stringify(place);

const begins = (segment: number, from: bigint): Place => ({
  ...{ segment, at: String(from - 1n), rows: "0", sum: "0", points: "0" },
});

function countProblems(archived: ArchivedTable, { segment, count }: SealedSegment, now: Counted): Difference[] {
  if (now.rows === count.rows && now.sum === count.sum && now.points === count.points) return [];
  const shown = ({ rows, sum, points }: Counted) => `${rows} rows, sum ${sum}, ${points} points`;
  const detail = `${shown(now)}; sealed: ${shown(count)}`;
  return [{ kind: "archiveDiffers", subject: segmentName(archived, segment), detail }];
}

interface Reading {
  readonly db: Queryable;
  readonly archived: ArchivedTable;
  readonly sealed: SealedSegment;
  readonly place: Place;
}

const filterOf = async ({ db, archived, sealed }: Reading) => {
  const parts = await filterParts(db, archived, sealed.segment);
  const isRight = parts.length > 0 && filterDigest(parts).equals(sealed.filterDigest);
  return { filter: isRight ? new Filter(parts, sealed.filterHashes) : undefined, isRight };
};

const filterForged = (archived: ArchivedTable, segment: number): Difference => ({
  ...{ kind: "filterDiffers", subject: `filter of ${segmentName(archived, segment)}` },
  detail: "it is missing, or not as it was sealed",
});

/** The next rows of a segment: where they end, `null` where it ends, and what they add up to. */
async function nextRows({ db, archived, sealed, place }: Reading, most: number) {
  const book = bookOf(archived);
  const places = await placesOf(db, book);
  const rest = { from: BigInt(place.at), to: sealed.to - 1n };
  const end = await pageEndOf(db, book, places, rest, most);
  const span = end === null ? rest : { ...rest, to: end };
  return { places, span, end, now: await countedRows(db, archived, span, places) };
}

/** Reads the next rows of a segment one by one. */
async function readRows(reading: Reading, digest: Hash, filter: Filter | undefined) {
  const { db, archived, sealed } = reading;
  const { places, span, end, now } = await nextRows(reading, limits.books.segmentTexts);
  const rows = await textRows(db, archived, span, places);
  digest.update(rows.map(({ text }) => text + rowSeparator).join(""));
  const lacking = filter && rows.find(({ key }) => !filter.mayHave(probeOf(key)));
  const differences: Difference[] = [];
  if (lacking) {
    const subject = `filter of ${segmentName(archived, sealed.segment)}`;
    differences.push({ kind: "filterDiffers", subject, detail: `it lacks ${lacking.key}`, measure: "lacks" });
  }
  for (const { id, key, other } of await twiceIn(db, archived, span))
    differences.push({ kind: "archivedTwice", subject: `${archived.table} ${key}`, detail: `rows ${id} and ${other}` });
  return { now, end, differences };
}

/** `everyRow`: all rows of all segments are read one by one; otherwise those of other segments each day. */
export function segmentRowsCheck(
  books: Database,
  archived: ArchivedTable,
  { everyRow }: { readonly everyRow: boolean },
): Check {
  let held: Held[] = [];
  let filters: { readonly segment: number; readonly filter: Filter | undefined } | undefined;

  async function page(from: string): Promise<Page> {
    return books.snapshot(async (db): Promise<Page> => {
      const all = (await storedSegments(db, archived)).filter(({ sealed }) => sealed);
      const place = from === "" ? undefined : (JSON.parse(from) as Place);
      const current = all.find(({ segment }) => (place ? segment === place.segment : true));
      const sealed = current?.sealed;
      if (!current || !sealed) return { rows: 0, differences: [], next: null };
      const at = place ?? begins(current.segment, current.from);
      const reading: Reading = { db, archived, sealed, place: at };
      const differences: Difference[] = [];
      const byRow = everyRow || isOfTodaysSegments(current.segment);
      const isFirst = at.rows === "0";
      if (isFirst || filters?.segment !== current.segment) {
        const { filter, isRight } = await filterOf(reading);
        if (!isRight) differences.push(filterForged(archived, current.segment));
        filters = { segment: current.segment, filter };
      }
      const known = held.find((one) => one.place === placeText(at))?.digest;
      const digest = isFirst ? createHash("sha256") : known?.copy();
      const read = byRow && digest ? await readRows(reading, digest, filters.filter) : undefined;
      const { now, end } = read ?? (await nextRows(reading, limits.books.sharesRows));
      differences.push(...(read?.differences ?? []));
      const total = {
        rows: BigInt(at.rows) + now.rows,
        sum: BigInt(at.sum) + now.sum,
        points: BigInt(at.points) + now.points,
      };
      const following = all[all.indexOf(current) + 1];
      if (end === null) {
        const problems = countProblems(archived, sealed, total);
        differences.push(...problems);
        if (problems.length === 0 && read && digest && !digest.digest().equals(sealed.count.digest))
          differences.push({
            ...{ kind: "archiveDiffers", subject: segmentName(archived, current.segment) },
            detail: "a row of it is not as it was when it was sealed",
          });
      }
      const next =
        end !== null
          ? placeText({
              ...{ segment: current.segment, at: String(end) },
              ...{ rows: String(total.rows), sum: String(total.sum), points: String(total.points) },
            })
          : following
            ? placeText(begins(following.segment, following.from))
            : null;
      // The digest before this page stays: what differs is read a second time.
      held = [
        ...held.filter((one) => one.place === placeText(at)),
        ...(next && digest && end !== null ? [{ place: next, digest }] : []),
      ];
      return { rows: Number(now.rows), differences: differences.slice(0, limits.books.findingsPerPage), next };
    });
  }

  return {
    ...{ name: `archived rows of ${archived.table}`, rounds: false, passes: true },
    async range(since) {
      return since ? undefined : { from: "" };
    },
    page: ({ from }) => page(from),
  };
}
