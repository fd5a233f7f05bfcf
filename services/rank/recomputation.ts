import { limits } from "../../config/limits.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import { type Board, boardName, countedGift, isRoom, spanOf, type Total, Totals } from "./boards.ts";
import { type CountedIds, chunkOf } from "./counted-ids.ts";
import { readChunks } from "./counted-store.ts";
import type { RecordedGift } from "./gift-counter.ts";
import type { Calendar } from "./periods.ts";
import { findState } from "./state-store.ts";
import { partOf, totalsAfter } from "./totals-store.ts";

/** A page of the gift records. */
export interface RecordsPage {
  readonly gifts: readonly RecordedGift[];
  readonly nextCursor: string | null;
  readonly until: string;
}

export interface RecomputationPorts {
  /** The database of the ranks, as of one moment. */
  readonly db: Queryable;
  readonly generation: number;
  readonly calendar: Calendar;
  readonly nowMs: number;
  /** Reads the gift records up to `until`; up to now, which is later than that moment, where it is left out. */
  page(cursor: string, until: string | undefined): Promise<RecordsPage>;
  /** After each page of the records. Rejects where the verification is to end. */
  read(page: RecordsPage): Promise<void>;
}

export interface Recomputed {
  /** Sums that were compared, and those of them that differ. */
  compared: number;
  differences: number;
  /** The first of them. */
  readonly shown: string[];
  /** Record ids that are not counted, up to `limits.rank.notCountedKept`. */
  readonly notCounted: number[];
}

/** The users whose id is `part` of `parts`, see `partOf`. */
interface Part {
  readonly part: number;
  readonly parts: number;
}

/**
 * Computes all sums again from the gift records that are counted, and compares them. What is counted, and the sums, are
 * read as of one moment, so that counting goes on meanwhile. Users are cut into parts, one after the other, so that no
 * more than about `most` sums are held at once.
 *
 * @param parts how many, as far as that is known: a part that turns out too large is cut in two
 * @throws Error where sums cannot be cut into parts that are small enough
 */
export async function recompute(
  ports: RecomputationPorts,
  { parts, most }: { parts: number; most: number },
): Promise<Recomputed> {
  const result: Recomputed = { compared: 0, differences: 0, shown: [], notCounted: [] };
  const noted = new Set<number>();
  const guess = Math.min(parts, limits.rank.verifiedParts);
  let waiting: Part[] = Array.from({ length: guess }, (_, part) => ({ part, parts: guess }));
  let until: string | undefined;
  let isFirst = true;
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const { part, parts: of } = next;
    const totals = new Totals(ports.calendar, ports.nowMs, (userId) => partOf(userId, of) === part);
    const read = await addRecords(ports, totals, { until, most, notCounted: isFirst ? noted : undefined });
    until = read.until;
    if (read.isAll) {
      await compare(ports, totals, next, result);
      isFirst = false;
    } else {
      if (of * 2 > limits.rank.verifiedParts) throw new Error(`one of ${of} parts of all sums has more than ${most}`);
      // Of the first one it is the guess that was too small, so it is for the others too.
      const large = isFirst ? [next, ...waiting] : [next];
      waiting = [...large.flatMap(halves), ...waiting.slice(large.length - 1)];
    }
  }
  result.notCounted.push(...noted);
  return result;
}

const halves = ({ part, parts }: Part): Part[] => [
  { part, parts: parts * 2 },
  { part: part + parts, parts: parts * 2 },
];

/** Adds what is counted of the records; ends before all are added where that makes more than `most` sums. */
async function addRecords(
  ports: RecomputationPorts,
  totals: Totals,
  { until: end, most, notCounted }: { until: string | undefined; most: number; notCounted: Set<number> | undefined },
): Promise<{ isAll: boolean; until: string }> {
  let chunks = new Map<number, CountedIds>();
  let until = end;
  for (let cursor: string | null = "0"; cursor !== null; ) {
    const page: RecordsPage = await ports.page(cursor, until);
    const wanted = [...new Set(page.gifts.map(({ recordId }) => chunkOf(Number(recordId))))];
    const missing = wanted.filter((chunk) => !chunks.has(chunk));
    const known = chunks;
    chunks = await readChunks(ports.db, ports.generation, missing);
    for (const chunk of wanted) {
      const ids = known.get(chunk);
      if (ids) chunks.set(chunk, ids);
    }
    for (const gift of page.gifts) {
      const id = Number(gift.recordId);
      if (!chunks.get(chunkOf(id))?.has(id)) {
        if (notCounted && notCounted.size < limits.rank.notCountedKept) notCounted.add(id);
      } else if (gift.status === "succeeded") totals.add(countedGift(gift));
    }
    await ports.read(page);
    ({ until, nextCursor: cursor } = page);
    if (totals.size > most) return { isAll: false, until };
  }
  return { isAll: true, until: until as string };
}

/** Those of the record ids that are still not counted; none where another generation is begun, which counts by itself. */
export async function stillNotCounted(db: Queryable, generation: number, ids: readonly number[]): Promise<number[]> {
  if ((await findState(db))?.generation !== generation) return [];
  const chunks = await readChunks(db, generation, [...new Set(ids.map(chunkOf))]);
  return ids.filter((id) => !chunks.get(chunkOf(id))?.has(id));
}

async function compare(
  { db, generation, calendar, nowMs }: RecomputationPorts,
  totals: Totals,
  part: Part,
  result: Recomputed,
): Promise<void> {
  const differs = (board: Board, userId: string, is: string, should: string) => {
    result.differences++;
    if (result.shown.length < limits.rank.differencesKept)
      result.shown.push(`${boardName(board)}, user ${userId}: ${is}, by the gift records ${should}`);
  };
  const isCompared = ({ kind, period, reachedMs }: Total) => {
    // The boards of quiet rooms are removed one after the other.
    if (isRoom(kind)) return reachedMs >= nowMs - limits.rank.roomsKeptMs;
    return calendar.isKept(spanOf(kind) ?? "all", period, nowMs);
  };
  let after: Total | undefined;
  do {
    const page = await totalsAfter(db, generation, after, part, limits.rank.verifiedPageRows);
    for (const total of page.totals) {
      const own = totals.take(total, total.userId);
      if (!isCompared(own && own.reachedMs > total.reachedMs ? own : total)) continue;
      result.compared++;
      if (own?.coins !== total.coins || own.reachedMs !== total.reachedMs)
        differs(total, total.userId, shown(total), own ? shown(own) : "nothing");
    }
    after = page.last;
  } while (after);
  for (const own of totals.all())
    if (isCompared(own)) {
      result.compared++;
      differs(own, own.userId, "nothing", shown(own));
    }
}

const shown = ({ coins, reachedMs }: Total) => `${coins} coins, reached ${new Date(reachedMs).toISOString()}`;
