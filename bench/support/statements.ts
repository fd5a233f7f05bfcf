import { config } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";

/** Statements that clients have sent to the database server since its start, those of transactions included. */
export async function statementsSoFar(): Promise<number> {
  const connection = await openConnection(config().MYSQL_URL);
  try {
    const [rows] = await connection.query("SHOW GLOBAL STATUS LIKE 'Questions'");
    return Number((rows as { Value: string }[])[0]?.Value ?? 0);
  } finally {
    await connection.end();
  }
}
