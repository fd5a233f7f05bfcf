import type { Database, Queryable } from "../../../mixins/mysql/database.ts";
import type { FurtherBooks } from "../further-books.ts";

/** The books of all servers by name, the home server's first. */
export interface AllBooks {
  readonly home: Database;
  readonly further: readonly FurtherBooks[];
}

/** A server's books, and how a page reads them. */
export interface NamedBooks {
  readonly name: string;
  readonly books: Database;
  readonly db: Queryable;
}

/**
 * All servers with their names, the home server first. A page that reads `books` by `own` reads them so here too: a second
 * connection might have to wait for the first.
 */
export async function namedBooks(
  { home, further }: AllBooks,
  { books, own }: { books: Database; own: Queryable },
): Promise<NamedBooks[]> {
  const on = (one: Database): Queryable => (one === books ? own : one);
  const [self] = await on(home).query<{ name: string }>("SELECT name FROM t_server WHERE number = 0");
  return [{ name: self?.name ?? "home", books: home }, ...further].map((one) => ({ ...one, db: on(one.books) }));
}
