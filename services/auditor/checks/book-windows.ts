import { limits } from "../../../config/limits.ts";
import type { Database, Queryable } from "../../../mixins/mysql/database.ts";
import type { Difference } from "../differences.ts";
import {
  archivedUpTo,
  type Book,
  countIn,
  firstId,
  firstIdOf,
  type Places,
  pageEndOf,
  placesOf,
  rowsAfter,
} from "./book-rows-store.ts";
import type { Check } from "./check.ts";
import { dueParts, type IdSpan, lastId, nextSpan } from "./day-parts.ts";
import { serverTime } from "./windows-store.ts";

/** Checks that go through a book by its ids, first the archived rows, then the hot ones. */

/** The rows of a page, as of one moment. */
export interface BookPage {
  readonly db: Queryable;
  /** The text of a derived table of these rows. */
  rows(columns: string): string;
  /** The times of the rows, where all of them are archived. */
  readonly near: { readonly from: Date; readonly to: Date } | undefined;
}

interface BookWindow {
  readonly name: string;
  readonly book: Book;
  /**
   * What is read of archived rows: each row; a part of them each day, all of them in `limits.books.closedRowsDays` days; or
   * none.
   */
  readonly archived: "all" | "parts" | "none";
  /** See windowCheck. */
  readonly delayMs?: number;
  /** The differences of the rows of a page, at most `limits.books.findingsPerPage`. */
  find(page: BookPage, span: IdSpan): Promise<Difference[]>;
}

const before = (id: bigint) => String(id > 0n ? id - 1n : 0n);

/** Where the next page of `span` may begin and end; `null`: nothing is left. */
function spanOf(places: Places, archived: BookWindow["archived"], span: IdSpan): IdSpan | null {
  const upTo = archivedUpTo(places);
  if (archived === "parts") return nextSpan(span, upTo, dueParts());
  if (archived === "none" && span.from < upTo) return span.to > upTo ? { from: upTo, to: span.to } : null;
  return span.to > span.from ? span : null;
}

/** A check of a book, of which rounds compare what is new. */
export function bookCheck(books: Database, { name, book, archived, delayMs = 0, find }: BookWindow): Check {
  const { pageRows } = limits.books;
  return {
    ...{ name, rounds: true, passes: true },
    async range(since) {
      if (!since) return { from: "0" };
      const from = await firstIdOf(books, book, new Date(since.getTime() - delayMs));
      if (delayMs === 0) return { from: before(from) };
      const now = await serverTime(books);
      return { from: before(from), to: before(await firstIdOf(books, book, new Date(now.getTime() - delayMs))) };
    },
    page: ({ from, to = String(lastId) }) =>
      books.snapshot(async (db) => {
        const places = await placesOf(db, book);
        const first = from === "0" ? await firstId(db, book) : null;
        const whole = { from: first === null ? BigInt(from) : first - 1n, to: BigInt(to) };
        const next = spanOf(places, archived, whole);
        if (!next) return { rows: 0, differences: [], next: null };
        const end = await pageEndOf(db, book, places, next, pageRows);
        const span = end === null ? next : { from: next.from, to: end };
        const counted = await countIn(db, book, places, span);
        const { rows, first: begins, last: ends } = counted;
        const isArchived = begins !== null && ends !== null && span.to <= archivedUpTo(places);
        const page: BookPage = {
          db,
          rows: (columns) => rowsAfter(book, places, columns, span),
          near: isArchived ? { from: begins, to: ends } : undefined,
        };
        const differences = rows > 0 ? await find(page, span) : [];
        return { rows, differences, next: span.to >= whole.to ? null : String(span.to) };
      }),
  };
}
