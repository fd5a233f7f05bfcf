import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { keysAtOnce, rowsOfKeys, tradesBook } from "./book-rows-store.ts";
import type { BookPage } from "./book-windows.ts";

/** SQL of business ids that may be on several servers of ledgers. Each look-up is by an index. */

/** A row of a ledger. `num`: coins of trades and debts, points of postings. */
export interface IdRow extends Record<"biz_id" | "user_id" | "num", string> {
  readonly type: number;
  readonly status: number;
}

/** Rows by their business ids. */
export type ById = (db: Queryable, ids: readonly string[]) => Promise<IdRow[]>;

const tradeColumns = "biz_id, user_id, num, type, status";

/** The trades of a page. */
export const tradesOf = ({ db, rows }: BookPage): Promise<IdRow[]> =>
  db.query<IdRow>(`SELECT ${tradeColumns} FROM ${rows(tradeColumns)} t LIMIT ?`, [limits.books.pageRows]);

/** Of the hot table alone. */
export const hotTradesById: ById = (db, ids) => {
  const { hot, key, keyIndexes } = tradesBook();
  const source = `${hot} FORCE INDEX (${keyIndexes.hot})`;
  return db.query<IdRow>(`SELECT ${tradeColumns} FROM ${source} WHERE ${key} IN (?)`, [ids]);
};

/** Archived ones too: a look into each segment of the archive. */
export const tradesById: ById = (db, ids) =>
  db.query<IdRow>(`SELECT ${tradeColumns} FROM ${rowsOfKeys(tradesBook(), tradeColumns)} t`, [ids, ids]);

const debtColumns = "biz_id, user_id, num, 2 AS type, 1 AS status";

export const debtsOf = (db: Queryable, from: string, to: string): Promise<IdRow[]> =>
  db.query<IdRow>(`SELECT ${debtColumns} FROM t_wallet_debt WHERE id > ? AND id <= ? LIMIT ?`, [
    ...[from, to, limits.books.pageRows],
  ]);

export const debtsById: ById = (db, ids) =>
  db.query<IdRow>(`SELECT ${debtColumns} FROM t_wallet_debt WHERE biz_id IN (?)`, [ids]);

const postingColumns = "biz_id, anchor_id AS user_id, points AS num, kind AS type, status";

/** Payouts, holds and releases. The id of what a round of the roll-up posts is random. */
export const postingsOf = (db: Queryable, from: string, to: string): Promise<IdRow[]> =>
  db.query<IdRow>(
    `SELECT ${postingColumns} FROM t_income_posting WHERE id > ? AND id <= ? AND kind IN (1, 2, 3) LIMIT ?`,
    [from, to, limits.books.pageRows],
  );

export const postingsById: ById = (db, ids) =>
  db.query<IdRow>(`SELECT ${postingColumns} FROM t_income_posting WHERE biz_id IN (?)`, [ids]);

/** A part of a gift that is held back. */
export interface HeldPart extends Record<"hold_biz_id" | "gift_biz_id" | "coins_from" | "coins", string> {}

const heldColumns = "hold_biz_id, gift_biz_id, coins_from, coins";

export const heldOf = (db: Queryable, from: string, to: string): Promise<HeldPart[]> =>
  db.query<HeldPart>(`SELECT ${heldColumns} FROM t_income_hold_gift WHERE id > ? AND id <= ? LIMIT ?`, [
    ...[from, to, limits.books.pageRows],
  ]);

export const heldByGift = (db: Queryable, gifts: readonly string[]): Promise<HeldPart[]> =>
  db.query<HeldPart>(`SELECT ${heldColumns} FROM t_income_hold_gift WHERE gift_biz_id IN (?)`, [gifts]);

/** Asks for some keys at a time, one part after the other: a list of thousands might become a scan. */
export async function inParts<Row>(keys: readonly string[], ask: (part: string[]) => Promise<Row[]>): Promise<Row[]> {
  const found: Row[] = [];
  for (let at = 0; at < keys.length; at += keysAtOnce) found.push(...(await ask(keys.slice(at, at + keysAtOnce))));
  return found;
}
