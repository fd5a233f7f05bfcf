import { limits } from "../../../config/limits.ts";
import type { NamedKeys } from "../../../config/named-keys.ts";
import type { ArchivedTable } from "../../../mixins/archive/archived-table.ts";
import { verdictOfSegment } from "../../../mixins/archive/seal-segment.ts";
import { isFiltered } from "../../../mixins/archive/segment-state.ts";
import type { Database, Queryable } from "../../../mixins/mysql/database.ts";
import type { Difference } from "../differences.ts";
import { keepSegment, type SeenSegment, seenSegments } from "../seen-segments-store.ts";
import type { Check } from "./check.ts";
import { lastId } from "./day-parts.ts";
import { idsWithin, revisionOf, type StoredSegment, storedSegments, strayFilters } from "./segments-store.ts";

/** The segments of an archive: each is as the archiver sealed it, none is missing, and rows are where it says. */

export const segmentName = ({ table }: ArchivedTable, segment: number) => `segment ${segment} of ${table}`;

function stateProblem({ state, from, to, movedTo, sealed }: StoredSegment): string | undefined {
  if (!state) return "it has a state that no segment has";
  if (from >= to || movedTo < from || movedTo > to) return "its boundaries are none";
  if (isFiltered(state) && !sealed) return `it is ${state} and has no seal`;
  if ((state === "planned" || state === "filtered") && movedTo !== from) return `it is ${state} and has moved rows`;
  if (state === "closed" && movedTo !== to) return "it is closed and has rows that are not moved";
  return undefined;
}

/** What is wrong with a segment by itself, and after the one before it. */
function segmentProblems(
  archived: ArchivedTable,
  keys: NamedKeys,
  segment: StoredSegment,
  before: StoredSegment | undefined,
  seen: SeenSegment | undefined,
): Difference[] {
  const subject = segmentName(archived, segment.segment);
  const isOpenBefore = before && before.state !== "closed" ? "the one before it is not closed" : undefined;
  const problem = stateProblem(segment) ?? isOpenBefore;
  const differences: Difference[] = problem ? [{ kind: "segmentForged", subject, detail: problem }] : [];
  const { sealed } = segment;
  const verdict = sealed ? verdictOfSegment(keys, sealed, sealed) : "valid";
  if (verdict === "wrong")
    differences.push({ kind: "segmentForged", subject, detail: "its seal is not of its key and of what it says" });
  if (verdict === "unknownKey") {
    const key = `key ${sealed?.keyName} of the archiver`;
    differences.push({ kind: "sealKeyUnknown", subject: key, detail: `first ${subject}` });
  }
  if (seen && !sealed?.seal.equals(seen.seal))
    differences.push({ kind: "segmentForged", subject, detail: "it has another seal than before" });
  const isNext = segment.segment === (before?.segment ?? 0) + 1;
  if (!isNext || (before && before.to !== segment.from)) {
    const missing = `${before ? `segment ${before.segment} ends before ${before.to}` : "no segment is before it"}`;
    const detail = `${missing}, and ${subject} begins with ${segment.from}`;
    differences.push({ kind: "segmentRemoved", subject: segmentName(archived, segment.segment - 1), detail });
  }
  return differences;
}

/**
 * Rows that are not in the table in which the segments have them. They follow each other without a gap, and all but the
 * last one are closed, so one id parts both tables.
 */
async function misplaced(
  db: Queryable,
  archived: ArchivedTable,
  segments: readonly StoredSegment[],
): Promise<Difference[]> {
  const { table, archive } = archived;
  const rows = (of: string, ids: readonly string[], detail: string): Difference[] =>
    ids.map((id) => ({ kind: "rowMisplaced", subject: `${of} ${id}`, detail }));
  const [first, moved] = [segments[0]?.from ?? 0n, segments.at(-1)?.movedTo ?? 0n];
  const hot = await idsWithin(db, archived, "hot", first, moved);
  const before = await idsWithin(db, archived, "archive", 0n, first);
  const after = await idsWithin(db, archived, "archive", moved, lastId);
  return [
    ...rows(table, hot, `it is in the hot table, and below ${moved}, up to which rows are moved`),
    ...rows(archive, before, "it is archived, and below all segments"),
    ...rows(archive, after, `it is archived, and not below ${moved}, up to which rows are moved`),
  ];
}

/** The segments of a table as of one moment. `own`: the auditor's database. */
export function segmentsCheck(books: Database, archived: ArchivedTable, keys: NamedKeys, own: Queryable | null): Check {
  return {
    ...{ name: `segments of ${archived.table}`, rounds: true, passes: true },
    async range() {
      return { from: "" };
    },
    async page() {
      // What the auditor has seen comes first: a segment of it is there when the table is read.
      const seen = own ? await seenSegments(own, archived.table) : new Map<number, SeenSegment>();
      const { segments, right, differences } = await books.snapshot(async (db) => {
        const segments = await storedSegments(db, archived);
        const problems = segments.map((segment, at) =>
          segmentProblems(archived, keys, segment, segments[at - 1], seen.get(segment.segment)),
        );
        const right = segments.filter((_segment, at) => problems[at]?.length === 0);
        const differences = problems.flat();
        for (const segment of await strayFilters(db, archived))
          differences.push({
            ...{ kind: "segmentRemoved", subject: segmentName(archived, segment) },
            detail: "it has a filter, and there is no sealed or planned segment of this number",
          });
        const revision = await revisionOf(db, archived);
        // It grows where one is filtered, and where one is closed.
        const least =
          segments.filter(({ sealed }) => sealed).length + segments.filter(({ state }) => state === "closed").length;
        if (revision === null || revision < least) {
          const detail = `it is ${revision ?? "missing"}, and was ${least}: nodes may not load the filters that there are`;
          differences.push({ kind: "segmentForged", subject: `revision of ${archived.table}`, detail });
        }
        return { segments, right, differences: [...differences, ...(await misplaced(db, archived, segments))] };
      });
      const there = new Set(segments.map(({ segment }) => segment));
      for (const segment of seen.keys())
        if (!there.has(segment)) {
          const detail = "it was there before";
          differences.push({ kind: "segmentRemoved", subject: segmentName(archived, segment), detail });
        }
      if (own)
        for (const { segment, sealed } of right)
          if (sealed && !seen.has(segment)) await keepSegment(own, archived.table, segment, sealed.seal);
      return { rows: segments.length, differences: differences.slice(0, limits.books.findingsPerPage), next: null };
    },
  };
}
