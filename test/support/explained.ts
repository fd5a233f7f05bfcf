import type { Queryable } from "../../mixins/mysql/database.ts";

/** How the server reads a table for a query: a row of EXPLAIN. */
interface Plan {
  readonly table: string | null;
  readonly type: string | null;
  readonly key: string | null;
}

/** A read of a table without an index. */
export interface Scan {
  readonly sql: string;
  readonly table: string;
}

/**
 * A database whose queries are explained too. `scans` has the reads that go through a whole table, or a whole index: the
 * statement gets slower with the table. Fill the tables first, since the server reads a small table as a whole.
 */
export function explaining(db: Queryable): Queryable & { readonly scans: Scan[]; readonly explained: string[] } {
  const scans: Scan[] = [];
  const explained: string[] = [];
  return {
    scans,
    explained,
    async query<Row extends object>(sql: string, values: unknown[] = []) {
      explained.push(sql);
      for (const { table, type, key } of await db.query<Plan>(`EXPLAIN ${sql}`, values)) {
        const isScan = table !== null && !table.startsWith("<") && (key === null || type === "ALL" || type === "index");
        if (isScan && type !== null) scans.push({ sql, table });
      }
      return db.query<Row>(sql, values);
    },
    run: (sql, values) => db.run(sql, values),
  };
}
