import { join } from "node:path";
import type { RowDataPacket } from "mysql2/promise";
import { onServer } from "../mysql.ts";

/** What the nodes of MariaDB and the proxy in front of them have in common. */

/** Where the administrator's password is, that of the single server of this folder too. */
export const mysqlDirOf = (stackDir: string) => join(stackDir, "mysql");

/** Connections of a node; the proxy hands out fewer, so that its checks always get one. */
export const maxConnections = 500;

/** Who asks the nodes how they are: without a password, from this machine alone, without a right. */
export const checkUser = "ovation_check";

const answerMs = 2000;

/** The rows of a query at a node, or at the proxy. Rejects where it does not answer in time. */
export async function ask(stackDir: string, port: number, sql: string): Promise<RowDataPacket[]> {
  return onServer(mysqlDirOf(stackDir), port, async (connection) => {
    const [rows] = await connection.query<RowDataPacket[]>({ sql, timeout: answerMs });
    return rows;
  });
}

/** What a node says of itself, e.g. `wsrep_local_state_comment`. Every node answers it, a member or not. */
export async function wsrepStatus(stackDir: string, port: number): Promise<ReadonlyMap<string, string>> {
  const rows = await ask(stackDir, port, "SHOW GLOBAL STATUS LIKE 'wsrep\\_%'");
  return new Map(rows.map((row) => [row.Variable_name as string, String(row.Value)]));
}
