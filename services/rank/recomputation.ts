import { limits } from "../../config/limits.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import { type Board, boardName, countedGift, isRoom, spanOf, type Total, Totals } from "./boards.ts";
import { type CountedIds, chunkOf } from "./counted-ids.ts";
import { readChunks } from "./counted-store.ts";
import type { RecordedGift } from "./gift-counter.ts";
import type { Calendar } from "./periods.ts";
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

/**
 * Computes all sums again from the gift records that are counted, and compares them. What is counted, and the sums, are
 * read as of one moment, so that counting goes on meanwhile. Users are cut into `parts`, one after the other, so that
 * memory is bounded.
 */
export async function recompute(ports: RecomputationPorts, parts: number): Promise<Recomputed> {
  const result: Recomputed = { compared: 0, differences: 0, shown: [], notCounted: [] };
  let until: string | undefined;
  for (let part = 0; part < parts; part++) {
    const wants = (userId: string) => partOf(userId, parts) === part;
    const totals = new Totals(ports.calendar, ports.nowMs, parts === 1 ? undefined : wants);
    until = await addRecords(ports, totals, until, part === 0 ? result.notCounted : undefined);
    await compare(ports, totals, { part, parts }, result);
  }
  return result;
}

/** Adds what is counted of the records; returns up to which record. */
async function addRecords(
  ports: RecomputationPorts,
  totals: Totals,
  end: string | undefined,
  notCounted: number[] | undefined,
): Promise<string> {
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
        if (notCounted && notCounted.length < limits.rank.notCountedKept) notCounted.push(id);
      } else if (gift.status === "succeeded") totals.add(countedGift(gift));
    }
    await ports.read(page);
    ({ until, nextCursor: cursor } = page);
  }
  return until as string;
}

async function compare(
  { db, generation, calendar, nowMs }: RecomputationPorts,
  totals: Totals,
  part: { part: number; parts: number },
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
