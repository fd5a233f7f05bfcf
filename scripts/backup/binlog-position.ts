import type { Connection } from "mysql2/promise";
import { rowsOf } from "./admin-connection.ts";

/** Where a server's log of changes was at the moment of the snapshot. */
export interface BinlogPosition {
  readonly file: string;
  readonly position: number;
  /** MariaDB's GTID position, or MySQL's set of executed GTIDs. */
  readonly gtid: string;
  /** False: changes after this position may be in the dump already. */
  readonly exact: boolean;
}

const values = async (connection: Connection, sql: string): Promise<string[]> =>
  (await rowsOf(connection, sql)).map((row) => String(Object.values(row)[1] ?? ""));

/** The position that belongs to the snapshot of this transaction exactly: MariaDB keeps it, where its log is on. */
export async function exactPosition(connection: Connection): Promise<BinlogPosition | undefined> {
  const [file, position] = await values(connection, "SHOW STATUS LIKE 'binlog_snapshot_%'").catch(() => []);
  if (!file || !position) return undefined;
  const [row] = await rowsOf<{ gtid: string }>(connection, "SELECT BINLOG_GTID_POS(?, ?) AS gtid", [
    ...[file, Number(position)],
  ]);
  return { file, position: Number(position), gtid: row?.gtid ?? "", exact: true };
}

/** The position before the snapshot; `undefined` where the server keeps no log. */
export async function positionBefore(connection: Connection): Promise<BinlogPosition | undefined> {
  // The statement was renamed; one of them is known.
  for (const sql of ["SHOW BINARY LOG STATUS", "SHOW MASTER STATUS"]) {
    const rows = await rowsOf<Record<string, unknown>>(connection, sql).catch(() => undefined);
    const [row] = rows ?? [];
    if (row)
      return {
        file: String(row.File),
        position: Number(row.Position),
        gtid: String(row.Executed_Gtid_Set ?? ""),
        exact: false,
      };
  }
  return undefined;
}
