import { config } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";

/** What the database server has counted since its start. */
export interface DatabaseCounts {
  /** Statements that clients have sent, those of transactions included. */
  readonly statements: number;
  /** Pages that were not in the buffer pool. */
  readonly pagesRead: number;
  readonly pagesWritten: number;
}

const names = {
  statements: "Questions",
  pagesRead: "Innodb_buffer_pool_reads",
  pagesWritten: "Innodb_pages_written",
} as const;

export async function databaseCounts(): Promise<DatabaseCounts> {
  const connection = await openConnection(config().MYSQL_URL);
  try {
    const [rows] = await connection.query("SHOW GLOBAL STATUS WHERE Variable_name IN (?)", [Object.values(names)]);
    const values = new Map((rows as Record<string, string>[]).map((row) => [row.Variable_name, Number(row.Value)]));
    const of = (name: keyof typeof names) => values.get(names[name]) ?? 0;
    return { statements: of("statements"), pagesRead: of("pagesRead"), pagesWritten: of("pagesWritten") };
  } finally {
    await connection.end();
  }
}

/** Statements that clients have sent to the database server since its start, those of transactions included. */
export async function statementsSoFar(): Promise<number> {
  return (await databaseCounts()).statements;
}
