import { createConnection } from "mysql2/promise";
import { config, databaseName } from "../../config/config.ts";
import type { ArchivedTable } from "../../mixins/archive/archived-table.ts";
import { Months } from "../../mixins/archive/months.ts";
import { Mover, type MoverOptions, type Step } from "../../mixins/archive/mover.ts";
import { readSegments } from "../../mixins/archive/segment-store.ts";
import { Database } from "../../mixins/mysql/database.ts";
import { bookKeys } from "../../services/book-keys.ts";

/** A mover as the archiver has it, in small parts and at once. */
export function moverOf(table: ArchivedTable, over: Partial<MoverOptions> = {}): Mover {
  return new Mover({
    mysql: databaseOf(table),
    url: config().MYSQL_URL,
    table,
    months: new Months("Asia/Shanghai"),
    keys: bookKeys("archiver"),
    afterDays: 10,
    segmentRows: 1_000_000,
    sliceRows: 2,
    settleMs: 0,
    obstacle: () => undefined,
    ...over,
  });
}

const open = new Map<string, Database>();

/** The connections of the movers of a table; closed by `closeArchives`. */
export function databaseOf({ service }: ArchivedTable): Database {
  const name = databaseName(service);
  const database = open.get(name) ?? new Database(name, { url: config().MYSQL_URL, connections: 3 });
  open.set(name, database);
  return database;
}

export async function closeArchives(): Promise<void> {
  for (const database of open.values()) await database.close();
  open.clear();
}

/** Steps until one is `last`, or nothing is due. Returns what was done. */
export async function stepsUntil(mover: Mover, last: Step["did"] = "nothing"): Promise<Step["did"][]> {
  const done: Step["did"][] = [];
  for (;;) {
    const { did } = await mover.step();
    done.push(did);
    if (did === last || did === "nothing") return done;
    if (done.length > 10_000) throw new Error("the mover does not end");
  }
}

/** Moves all that is due. */
export async function archiveAll(table: ArchivedTable, over: Partial<MoverOptions> = {}): Promise<void> {
  await stepsUntil(moverOf(table, over));
}

/** As if all rows of a table that are there now were written in a closed month, the one after those that are archived. */
export async function makeOld(table: ArchivedTable): Promise<void> {
  const at = (await segmentsOf(table)).length;
  const month = `${2020 + Math.floor(at / 12)}-${String(1 + (at % 12)).padStart(2, "0")}`;
  const sql = `UPDATE ${table.table} SET ${table.time} = '${month}-10 12:00:00.000' + INTERVAL id % 1000 SECOND`;
  await asRoot(table.service, sql);
}

export async function asRoot(service: string, sql: string, values: unknown[] = []): Promise<unknown> {
  const connection = await createConnection({ uri: config().MYSQL_URL, database: databaseName(service) });
  try {
    return (await connection.query(sql, values))[0];
  } finally {
    await connection.end();
  }
}

export const segmentsOf = (table: ArchivedTable) => readSegments(databaseOf(table), table.table);
