import type { Queryable } from "../mysql/database.ts";
import type { KeptRows } from "./retention-loop.ts";

interface Texts {
  readonly table: string;
  /** The text that may be erased; it has a column `<text>_salt`, NULL where it may not or was (mixins/seals/erasable-text.ts). */
  readonly text: string;
  /** 0: for ever. */
  readonly days: number;
  /** Empties the texts of these rows. */
  erase(db: Queryable, ids: readonly string[]): Promise<unknown>;
}

/**
 * Erases the texts of sealed rows after so many days; the rows and their seals stay. It goes through the rows by their ids
 * and remembers how far it is, so that a process looks at each row once.
 */
export function oldTexts({ table, text, days, erase }: Texts): KeptRows {
  let after = "0";
  return {
    table,
    async erase(db, rows) {
      const found = await db.query<{ id: string; create_time: Date; is_old: number; is_there: number }>(
        `SELECT id, create_time, ${text}_salt IS NOT NULL AS is_there,
           create_time < UTC_TIMESTAMP(3) - INTERVAL ? DAY AS is_old FROM ${table} WHERE id > ? ORDER BY id LIMIT ?`,
        [days, after, rows],
      );
      const end = days === 0 ? 0 : found.findIndex(({ is_old }) => Number(is_old) === 0);
      const old = end < 0 ? found : found.slice(0, end);
      const ids = old.filter(({ is_there }) => Number(is_there) === 1).map(({ id }) => String(id));
      if (ids.length > 0) await erase(db, ids);
      after = String(old.at(-1)?.id ?? after);
      return {
        erased: ids.length,
        more: end < 0 && found.length === rows,
        oldest: found[old.length]?.create_time ?? null,
      };
    },
  };
}
