import { createConnection, type RowDataPacket } from "mysql2/promise";
import { limits } from "../../config/limits.ts";
import { mysqlTime, readClock } from "../clock/read-clock.ts";
import { type Skew, surest } from "../clock/skew.ts";
import type { MysqlServer } from "../mysql/servers.ts";
import { sessionSettings } from "../mysql/session-settings.ts";
import { type MysqlSeen, statusNames, variableNames } from "./mysql-seen.ts";

const named = (what: string, names: readonly string[]) =>
  `SHOW ${what} WHERE Variable_name IN (${names.map((name) => `'${name}'`).join(", ")})`;

/**
 * Reads what a server says of itself to any login, and its clock. It changes nothing but its own session. Rejects with
 * the driver's error where the server cannot be reached.
 */
export async function readMysql({
  place: server,
  uri,
}: MysqlServer): Promise<{ seen: MysqlSeen; clock: Skew | undefined }> {
  const { serverMs } = limits.preflight;
  const connection = await createConnection({ uri, connectTimeout: serverMs, timezone: "Z" });
  // A connection that breaks between two statements would end the process; the next statement rejects.
  connection.on("error", () => undefined);
  const query = async <Row extends object>(sql: string) =>
    (await connection.query<RowDataPacket[]>({ sql, timeout: serverMs }))[0] as unknown as Row[];
  try {
    for (const sql of sessionSettings) await query(sql);
    const values = async (what: string, names: readonly string[]) => {
      const rows = await query<{ Variable_name: string; Value: string }>(named(what, names));
      return Object.fromEntries(rows.map(({ Variable_name: name, Value }) => [name.toLowerCase(), String(Value)]));
    };
    const variables = await values("GLOBAL VARIABLES", variableNames);
    const status = await values("GLOBAL STATUS", statusNames);
    const session = await values("SESSION VARIABLES", [
      ...["tx_isolation", "transaction_isolation", "sql_mode", "time_zone"],
    ]);
    const clocks: Skew[] = [];
    for (let reading = 0; reading < limits.preflight.clockReadings; reading++)
      clocks.push(await readClock(server, () => mysqlTime({ query })));
    return {
      seen: {
        ...{ server, variables, status },
        session: {
          isolation: session.transaction_isolation ?? session.tx_isolation ?? "unknown",
          sqlMode: session.sql_mode ?? "",
          timeZone: session.time_zone ?? "unknown",
        },
      },
      clock: surest(clocks),
    };
  } finally {
    connection.destroy();
  }
}
