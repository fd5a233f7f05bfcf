import { databaseName } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { rowsOf } from "../backup/admin-connection.ts";
import { named } from "../backup/dump-text.ts";
import type { PlacedDatabase } from "./load-databases.ts";
import type { HighestIds } from "./replay.ts";

/**
 * The next id of a table: ids that were given out after the backup, and are lost with their rows, must name nothing
 * else. What events have seen is known, and the rest is bounded by a margin.
 */
export function nextId(counter: bigint, seen: bigint | undefined, margin: number): bigint {
  const known = seen !== undefined && seen + 1n > counter ? seen + 1n : counter;
  return known + BigInt(margin);
}

/** Of a definition as the server shows it; `undefined` where the table counts no ids. */
function counterOf(definition: string): bigint | undefined {
  if (!/\bAUTO_INCREMENT\b/.test(definition)) return undefined;
  return BigInt(/\bAUTO_INCREMENT=(\d+)/.exec(definition)?.[1] ?? "1");
}

/**
 * Raises the counters of all tables; returns how many. Ids of gift records say which server gave them: those of one server
 * are no ids of another.
 */
export async function raiseIds(
  databases: readonly (PlacedDatabase & { readonly number: number })[],
  highest: HighestIds,
): Promise<number> {
  const seenOf = new Map(
    [...highest].map(([key, id]) => {
      const [service = "", table = "", number = ""] = key.split(" ");
      return [`${databaseName(service)}.${table} ${number}`, id];
    }),
  );
  let raised = 0;
  for (const { database, rows, connection, number } of databases)
    for (const table of Object.keys(rows)) {
      const place = `${named(database)}.${named(table)}`;
      const [definition] = await rowsOf<Record<string, string>>(connection, `SHOW CREATE TABLE ${place}`);
      const counter = counterOf(String(definition?.["Create Table"]));
      if (counter === undefined) continue;
      const next = nextId(counter, seenOf.get(`${database}.${table} ${number}`), limits.backup.idMargin);
      await connection.query(`ALTER TABLE ${place} AUTO_INCREMENT = ${next}`);
      raised++;
    }
  return raised;
}
