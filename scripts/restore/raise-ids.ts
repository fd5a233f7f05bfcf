import type { Connection } from "mysql2/promise";
import { databaseName } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { rowsOf } from "../backup/dump.ts";
import { named } from "../backup/dump-text.ts";
import type { Manifest } from "../backup/manifest.ts";
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

/** Raises the counters of all tables; returns how many. */
export async function raiseIds(connection: Connection, manifest: Manifest, highest: HighestIds): Promise<number> {
  const seenOf = new Map(
    [...highest].map(([key, id]) => {
      const [service = "", table = ""] = key.split(" ");
      return [`${databaseName(service)}.${table}`, id];
    }),
  );
  let raised = 0;
  for (const { database, rows } of manifest.databases)
    for (const table of Object.keys(rows)) {
      const place = `${named(database)}.${named(table)}`;
      const [definition] = await rowsOf<Record<string, string>>(connection, `SHOW CREATE TABLE ${place}`);
      const counter = counterOf(String(definition?.["Create Table"]));
      if (counter === undefined) continue;
      const next = nextId(counter, seenOf.get(`${database}.${table}`), limits.backup.idMargin);
      await connection.query(`ALTER TABLE ${place} AUTO_INCREMENT = ${next}`);
      raised++;
    }
  return raised;
}
