import { setTimeout as pause } from "node:timers/promises";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { snapshot } from "./books.ts";
import { eventually } from "./eventually.ts";

/** What every business table of the system holds: its rows' number and checksum by `database.table`. */
export type Fingerprint = Readonly<Record<string, string>>;

/**
 * The rows of a table that count, where jobs write or remove others: the wallet joins the heads of its seals every
 * minute, and deliveries of a deleted subscription go when the maintenance comes by.
 */
const rowsOf: Readonly<Record<string, (database: string) => string>> = {
  t_outbox: () => "WHERE subject NOT LIKE 'event.%books_sealed'",
  t_webhook_delivery: (database) =>
    `WHERE webhook_id IN (SELECT id FROM \`${database}\`.t_webhook WHERE deleted_time IS NULL)`,
};

/**
 * The columns of a table that only jobs write. How many watch a room and whether its anchor is there: the check of rooms
 * and the im-servers write it seconds after a viewer has left, by the tests before or by a page that was closed. How many
 * deliveries of a subscription wait, and since when.
 */
const jobColumns: Readonly<Record<string, readonly string[]>> = {
  t_living_room: ["watch_num", "update_time", "anchor_seen", "away_since"],
  t_webhook: ["waiting", "due_since"],
};

/** One of the names of "`a`.`b`". */
const inTicks = (names: string, at: number) => names.split("`")[2 * at + 1] ?? "";

/** Of the rows as they are read: CHECKSUM TABLE of the server answers differently for the same rows at times. */
export async function fingerprint(except: readonly string[]): Promise<Fingerprint> {
  return snapshot("user", async (query) => {
    const columns = await query<{ name: string; field: string }>(
      `SELECT CONCAT('\`', c.table_schema, '\`.\`', c.table_name, '\`') AS name, CONCAT('\`', c.column_name, '\`') AS field
       FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
       WHERE c.table_schema LIKE ? AND t.table_type = 'BASE TABLE' AND c.table_name NOT IN (?)
       ORDER BY c.table_schema, c.table_name, c.ordinal_position`,
      [`${config().NAMESPACE.replaceAll("_", "\\_")}\\_%`, except],
    );
    const counted = columns.filter(({ name, field }) => !jobColumns[inTicks(name, 1)]?.includes(inTicks(field, 0)));
    const tables = [...Map.groupBy(counted, ({ name }) => name)];
    const sums = tables.map(([name, own]) => {
      const row = own.map(({ field }) => `COALESCE(CAST(${field} AS CHAR), 'NULL')`).join(", ");
      const sum = `CONCAT(COUNT(*), ':', COALESCE(SUM(CRC32(CONCAT_WS('|', ${row}))), 0))`;
      const which = rowsOf[inTicks(name, 1)]?.(inTicks(name, 0)) ?? "";
      return `SELECT '${name.replaceAll("`", "")}' AS name, ${sum} AS rows_sum FROM ${name} ${which}`;
    });
    const found = await query<{ name: string; rows_sum: string }>(sums.join(" UNION ALL "));
    return Object.fromEntries(found.map(({ name, rows_sum }) => [name, String(rows_sum)]));
  });
}

/** A second apart: in that time what was delivered without an ack comes again, and roll-ups are made. */
const equalLooks = Math.ceil(limits.jetstream.ackWaitMs / 1_000) + 2;

/** The fingerprint once nothing is under way any more: the same in so many looks in a row. */
export async function quietFingerprint(except: readonly string[]): Promise<Fingerprint> {
  let [last, equal] = ["", 0];
  return eventually(
    "the tables are at rest",
    async () => {
      const now = await fingerprint(except);
      const text = JSON.stringify(now);
      equal = text === last ? equal + 1 : 1;
      if (equal >= equalLooks) return now;
      last = text;
      await pause(1_000);
      return undefined;
    },
    60_000,
  );
}
