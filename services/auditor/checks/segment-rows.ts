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
import { isOfDueSegments } from "./day-parts.ts";
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

/** What differs once all rows of a segment are read: their number and sums, or else the digest where it was made. */
function segmentProblems(
  archived: ArchivedTable,
  sealed: SealedSegment,
  total: Counted,
  digest: Hash | undefined,
): Difference[] {
  const problems = countProblems(archived, sealed, total);
  if (problems.length > 0 || !digest || digest.digest().equals(sealed.count.digest)) return problems;
  const detail = "a row of it is not as it was when it was sealed";
  return [{ kind: "archiveDiffers", subject: segmentName(archived, sealed.segment), detail }];
}

/** The place after a page of a segment that did not end it. */
const placeAfter = ({ segment }: Place, end: bigint, { rows, sum, points }: Counted): Place => ({
  ...{ segment, at: String(end), rows: String(rows), sum: String(sum), points: String(points) },
});

/** `everyRow`: all rows of all segments are read one by one; otherwise those of other segments each day. */
export function segmentRowsCheck(
  books: Database,
  archived: ArchivedTable,
  { everyRow }: { readonly everyRow: boolean },
): Check {
  let held: Held[] = [];
  let filters: { readonly segment: number; readonly filter: Filter | undefined } | undefined;

  /** The digest of what was read before a page; none where the segment is only counted. */
  function digestBefore(place: Place): Hash | undefined {
    if (!everyRow && !isOfDueSegments(place.segment)) return undefined;
    if (place.rows === "0") return createHash("sha256");
    return held.find((one) => one.place === placeText(place))?.digest.copy();
  }

  async function readPage(reading: Reading, following: Place | null): Promise<Page> {
    const { sealed, place } = reading;
    const differences: Difference[] = [];
    if (place.rows === "0" || filters?.segment !== place.segment) {
      const { filter, isRight } = await filterOf(reading);
      if (!isRight) differences.push(filterForged(archived, place.segment));
      filters = { segment: place.segment, filter };
    }
    const digest = digestBefore(place);
    const read = digest
      ? await readRows(reading, digest, filters.filter)
      : { ...(await nextRows(reading, limits.books.sharesRows)), differences: [] };
    const { now, end } = read;
    const total = {
      rows: BigInt(place.rows) + now.rows,
      sum: BigInt(place.sum) + now.sum,
      points: BigInt(place.points) + now.points,
    };
    differences.push(...read.differences);
    if (end === null) differences.push(...segmentProblems(archived, sealed, total, digest));
    const next = end === null ? following : placeAfter(place, end, total);
    // The digest before this page stays: a page with a difference is read a second time.
    held = held.filter((one) => one.place === placeText(place));
    if (next && digest && end !== null) held.push({ place: placeText(next), digest });
    return {
      rows: Number(now.rows),
      differences: differences.slice(0, limits.books.findingsPerPage),
      next: next && placeText(next),
    };
  }

  return {
    ...{ name: `archived rows of ${archived.table}`, rounds: false, passes: true },
    async range(since) {
      return since ? undefined : { from: "" };
    },
    page: ({ from }) =>
      books.snapshot(async (db): Promise<Page> => {
        const all = (await storedSegments(db, archived)).flatMap(({ sealed }) => sealed ?? []);
        const before = from === "" ? undefined : (JSON.parse(from) as Place);
        const at = before ? all.findIndex(({ segment }) => segment === before.segment) : 0;
        const sealed = all[at];
        if (!sealed) return { rows: 0, differences: [], next: null };
        const following = all[at + 1];
        return readPage(
          { db, archived, sealed, place: before ?? begins(sealed.segment, sealed.from) },
          following ? begins(following.segment, following.from) : null,
        );
      }),
  };
}
