import { databaseName, serviceUrl } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { Database, type Queryable } from "../../mixins/mysql/database.ts";
import { archivedTables } from "../archived-tables.ts";
import { booksReplicaUrl } from "../book-keys.ts";
import { numbersOf } from "../server-names-store.ts";
import { furtherServers } from "../wallet-servers.ts";
import type { Check } from "./checks/check.ts";

/** The books on further servers (services/wallet-servers.ts): the wallet's ledgers and the gift records of some users. */
export interface FurtherBooks {
  /** The server's name. */
  readonly name: string;
  readonly books: Database;
}

/** The home server's books, or their replica, read alone. */
export const openBooks = (connections: number): Database =>
  new Database(databaseName("wallet"), {
    url: booksReplicaUrl() ?? serviceUrl("MYSQL_URL", "auditor"),
    ...{ reads: true, connections, statementTimeoutMs: limits.books.statementTimeoutMs },
  });

/** Those of the further servers. A replica is of the home server alone. */
export const openFurtherBooks = (connections: number): FurtherBooks[] =>
  furtherServers("auditor").map(({ name, url }) => ({
    name,
    books: new Database(databaseName("wallet"), {
      ...{ url, reads: true, connections, statementTimeoutMs: limits.books.statementTimeoutMs },
    }),
  }));

/** ER_NO_SUCH_TABLE, ER_BAD_DB_ERROR: the wallet has made no books yet. */
const notThere: ReadonlySet<unknown> = new Set([1146, 1049]);

/** @throws Error where the home server names others than the setting: their books would be read by nobody */
export async function requireAllBooks(books: Queryable): Promise<void> {
  try {
    await numbersOf(books, furtherServers("auditor"));
  } catch (error) {
    if (!notThere.has((error as { errno?: unknown }).errno)) throw error;
  }
}

/** What the auditor keeps of a service's seals, or of a table's archive, on a further server stands under the names of both, `wallet@b`. */
export const seenNameOf = (service: string, server: string | undefined): string =>
  server === undefined ? service : `${service}@${server}`;

/** What the auditor keeps of a server stands under these names. */
const named: ReadonlySet<unknown> = new Set(["wallet", ...archivedTables.map(({ table }) => table)]);

/** The auditor's own rows about the seals and archives of a further server, by the plain names of service and table. */
export function seenOf(own: Queryable, server: string): Queryable {
  const renamed = (values: unknown[] = []) =>
    values.map((value) => (named.has(value) ? seenNameOf(value as string, server) : value));
  return {
    query: (sql, values) => own.query(sql, renamed(values)),
    run: (sql, values) => own.run(sql, renamed(values)),
  };
}

/** A check of a further server's books: its findings say where they are. */
export function checkAt(check: Check, server: string): Check {
  return {
    ...check,
    name: `${check.name} at ${server}`,
    range: (since) => check.range(since),
    async page(range) {
      const page = await check.page(range);
      const differences = page.differences.map((one) => ({ ...one, subject: `${one.subject} at ${server}` }));
      return { ...page, differences };
    },
  };
}
