import { fittingPage } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import { archivedByKey } from "../../mixins/archive/archived-rows.ts";
import type { ArchiveFilters } from "../../mixins/archive/filters.ts";
import { firstOfBothSince } from "../../mixins/archive/first-of-both.ts";
import { ofBoth } from "../../mixins/archive/merged-page.ts";
import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";
import { archivedTrades } from "../archived-tables.ts";
import { externalOrderOf, payOrderOf, refundId } from "./business-ids.ts";

/** SQL of credits and refunds by payment order, for the comparison with payments. */

interface Credit {
  orderId: string;
  coins: number;
}

/** A credit with the account that it went to. */
interface PlacedCredit extends Credit {
  userId: string;
  balanceAfter: number;
  time: string;
  /** Of coins that the platform sold itself. */
  externalOrderId?: string;
}

interface CreditRow {
  id: string;
  biz_id: string;
  num: string;
  user_id: string;
  balance_after: string;
  create_time: Date;
}

function toPlacedCredit({ biz_id, num, user_id, balance_after, create_time }: CreditRow): PlacedCredit {
  const [coins, balanceAfter] = [toSafeInteger(num), toSafeInteger(balance_after)];
  const externalOrderId = externalOrderOf(biz_id);
  return {
    ...{ orderId: biz_id, userId: String(user_id), coins, balanceAfter, time: create_time.toISOString() },
    ...(externalOrderId !== undefined && { externalOrderId }),
  };
}

const recharge = 1;
const refund = 2;
const scannedRows = 20_000;

interface CreditedRow {
  biz_id: string;
  num: string;
  type: number;
  status: number;
}

type Lookups = Pick<ArchiveFilters, "lookups">;

/** The rows of business ids in the ledger, and of those that are not there in the archive. */
async function rowsOf<Row extends { biz_id: string }>(
  db: Queryable,
  archive: Lookups,
  columnsOf: (table: string) => string,
  bizIds: readonly string[],
): Promise<Row[]> {
  if (bizIds.length === 0) return [];
  const { table, archive: archived } = archivedTrades;
  const hot = await db.query<Row>(`SELECT ${columnsOf(table)} FROM ${table} WHERE biz_id IN (?)`, [bizIds]);
  const found = new Set(hot.map(({ biz_id }) => biz_id));
  const places = archive.lookups(bizIds.filter((bizId) => !found.has(bizId)));
  return [...hot, ...(await archivedByKey<Row>(db, archivedTrades, columnsOf(archived), places))];
}

/** The credits of these orders; an order without one is left out. */
export async function creditsOfOrders(db: Queryable, archive: Lookups, orderIds: readonly string[]): Promise<Credit[]> {
  const columns = () => "biz_id, num, type, status";
  const rows = await rowsOf<CreditedRow>(db, archive, columns, orderIds);
  return rows
    .filter(({ type, status }) => Number(type) === recharge && Number(status) === 1)
    .map(({ biz_id, num }) => ({ orderId: biz_id, coins: toSafeInteger(num) }));
}

/** The coins of a refund: taken back by its row (a rejected row took none), and owed by the row of its debt. */
const refundColumns = (table: string) => `id, biz_id, type, create_time,
  IF(status = 1, ABS(num), 0) + COALESCE((SELECT d.num FROM t_wallet_debt d WHERE d.biz_id = ${table}.biz_id), 0) AS coins`;

interface RefundRow {
  id: string;
  biz_id: string;
  type: number;
  coins: string;
}

const toRefund = ({ biz_id, coins }: RefundRow): Credit => ({
  orderId: payOrderOf(biz_id),
  coins: toSafeInteger(coins),
});

/** The refunds of these orders; an order without one is left out. */
export async function refundsOfOrders(db: Queryable, archive: Lookups, orderIds: readonly string[]): Promise<Credit[]> {
  const rows = await rowsOf<RefundRow>(db, archive, refundColumns, orderIds.map(refundId));
  return rows.filter(({ type }) => Number(type) === refund).map(toRefund);
}

/** A part of the ids of the ledger, and a span of time within it; `to` is excluded. */
interface Stretch {
  readonly begin: string;
  readonly end: string;
  readonly from: Date;
  readonly to: Date;
}

/**
 * The rows of the ledger between two times, page by page, archived ones too; `cursor` is the trade id to continue from.
 * Concurrent trades may be some seconds out of order, so the scan begins a minute early. `select` makes the SELECT of the
 * rows of a stretch from a table.
 */
async function pageOfTime<Row extends { id: string }, Item>(
  db: Queryable,
  { from, to, cursor }: { from: Date; to: Date; cursor: string | undefined },
  { select, values }: { select: (table: string) => string; values: (stretch: Stretch) => unknown[] },
  toItem: (row: Row) => Item,
): Promise<{ list: Item[]; nextCursor: string | null }> {
  const minute = 60_000;
  const begin = cursor ? BigInt(cursor) : await firstOfBothSince(db, archivedTrades, new Date(from.getTime() - minute));
  const end = begin + BigInt(scannedRows);
  const both = ofBoth(archivedTrades, select, values({ begin: String(begin), end: String(end), from, to }));
  const rows = await db.query<Row>(`${both.sql} ORDER BY id`, both.values);
  const all = rows.map(toItem);
  const list = fittingPage(all, limits.bus.listBytes);
  // The answer is full: the next page begins with the first row that was left out.
  if (list.length < all.length) return { list, nextCursor: String(rows[list.length]?.id) };
  const next = ofBoth(
    archivedTrades,
    (table) => `SELECT id, create_time FROM ${table} WHERE id >= ? ORDER BY id LIMIT 1`,
    [String(end)],
  );
  const [row] = await db.query<{ create_time: Date }>(`${next.sql} ORDER BY id LIMIT 1`, next.values);
  const more = row !== undefined && row.create_time.getTime() < to.getTime() + minute;
  return { list, nextCursor: more ? String(end) : null };
}

/** The credits between two times, page by page. */
export function creditsOfTime(
  db: Queryable,
  from: Date,
  to: Date,
  cursor: string | undefined,
): Promise<{ list: PlacedCredit[]; nextCursor: string | null }> {
  const read = {
    select: (table: string) =>
      `SELECT id, biz_id, num, user_id, balance_after, create_time FROM ${table}
       WHERE id >= ? AND id < ? AND type = ? AND status = 1 AND create_time >= ? AND create_time < ?`,
    values: (stretch: Stretch) => [stretch.begin, stretch.end, recharge, stretch.from, stretch.to],
  };
  return pageOfTime<CreditRow, PlacedCredit>(db, { from, to, cursor }, read, toPlacedCredit);
}

/** The refunds between two times, page by page, also those that took no coins; no payments of debts, of the same type. */
export function refundsOfTime(
  db: Queryable,
  from: Date,
  to: Date,
  cursor: string | undefined,
): Promise<{ list: Credit[]; nextCursor: string | null }> {
  const read = {
    select: (table: string) =>
      `SELECT ${refundColumns(table)} FROM ${table}
       WHERE id >= ? AND id < ? AND type = ? AND biz_id LIKE ? AND create_time >= ? AND create_time < ?`,
    values: ({ begin, end, ...span }: Stretch) => [begin, end, refund, `${refundId("")}%`, span.from, span.to],
  };
  return pageOfTime<RefundRow, Credit>(db, { from, to, cursor }, read, toRefund);
}
