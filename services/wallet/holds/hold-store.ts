import { limits } from "../../../config/limits.ts";
import { mergedPage, newestFirst, ofBoth } from "../../../mixins/archive/merged-page.ts";
import { type Queryable, type Transaction, toSafeInteger } from "../../../mixins/mysql/database.ts";
import type { Sealing } from "../../../mixins/seals/seal-chains.ts";
import { archivedTrades } from "../../archived-tables.ts";
import { sealedLedgers } from "../../book-seals.ts";
import { payOrderOf, refundId } from "../business-ids.ts";
import { insertPostings } from "../income/income-store.ts";
import { isPercent } from "../points.ts";
import type { EarlierRefund, GiftPart, SpentGift } from "./attribution.ts";
import type { HoldMove } from "./hold-decision.ts";

/** A refund in the ledger. */
export interface Refund {
  orderId: string;
  userId: string;
  /** Rows with smaller trade ids come before it. */
  tradeId: string;
  /** Coins that it took back. */
  taken: number;
  /** Coins that were spent by then; 0 where the refund came before the order's credit, as far as its own server knows. */
  shortfall: number;
  /** Coins that it could not take back, whenever the credit came. */
  debt: number;
  time: Date;
}

/** A refund before another one, as its own server has it. */
interface StoredRefund extends EarlierRefund, Pick<Refund, "orderId" | "debt" | "time"> {}

/** A payer's gift or refund, with the id of its row. */
export interface StoredEntry {
  readonly id: string;
  readonly entry: SpentGift | StoredRefund;
}

/**
 * Joins a refund's row with its debt and with the order's credit before it, which may be archived while the refund is not.
 * Where the refund overtook the credit nothing was spent: the credit paid the debt off at once, so the shortfall is 0.
 */
const refundColumns = `t.id, t.user_id, t.biz_id, t.type, t.num, t.status, t.counterparty_id, t.counterparty_income_points,
  t.create_time, d.num AS debt, IF(credit.id IS NULL AND old_credit.id IS NULL, 0, d.num) AS shortfall`;
const creditOf = (alias: string) => `ON d.id IS NOT NULL AND ${alias}.biz_id = SUBSTRING(t.biz_id, 8)
    AND ${alias}.type = 1 AND ${alias}.id < t.id`;
const refundJoins = `LEFT JOIN t_wallet_debt d ON t.type = 2 AND d.biz_id = t.biz_id AND d.num > 0
  LEFT JOIN ${archivedTrades.table} credit ${creditOf("credit")}
  LEFT JOIN ${archivedTrades.archive} old_credit ${creditOf("old_credit")}`;

interface EntryRow {
  id: string;
  user_id: string;
  biz_id: string;
  type: number;
  num: string;
  status: number;
  counterparty_id: string | null;
  counterparty_income_points: string;
  create_time: Date;
  debt: string | null;
  shortfall: string | null;
}

export async function readRefund(db: Queryable, orderId: string): Promise<Refund | null> {
  const both = ofBoth(
    archivedTrades,
    (table) => `SELECT ${refundColumns} FROM ${table} t ${refundJoins} WHERE t.biz_id = ? AND t.type = 2`,
    [refundId(orderId)],
  );
  const [row] = await db.query<EntryRow>(both.sql, both.values);
  if (!row) return null;
  return {
    orderId,
    userId: String(row.user_id),
    tradeId: String(row.id),
    taken: Number(row.status) === 1 ? -toSafeInteger(row.num) : 0,
    shortfall: toSafeInteger(row.shortfall ?? 0),
    debt: toSafeInteger(row.debt ?? 0),
    time: row.create_time,
  };
}

/** When the ledger got the credit of an order. */
export async function timeOfCredit(db: Queryable, orderId: string): Promise<Date | undefined> {
  const credit = (table: string) => `SELECT create_time FROM ${table} WHERE biz_id = ? AND type = 1`;
  const both = ofBoth(archivedTrades, credit, [orderId]);
  return (await db.query<{ create_time: Date }>(both.sql, both.values))[0]?.create_time;
}

/** Which entries of a server a list has. */
export interface Before {
  /** Those below the id of a row of the same server. */
  readonly id?: string;
  /** Those before a row of another server: of an earlier time, or of the same time with a smaller id. */
  readonly elsewhere?: { readonly id: string; readonly time: Date };
}

/** A payer's valid gifts and unpaid refunds before a trade, newest first, archived ones too. */
export async function entriesBefore(
  db: Queryable,
  userId: string,
  { id, elsewhere }: Before,
  limit: number,
): Promise<StoredEntry[]> {
  const below = id === undefined ? "" : " AND t.id < ?";
  const older = elsewhere ? " AND t.create_time <= ? AND (t.create_time < ? OR t.id < ?)" : "";
  const values = [
    ...(id === undefined ? [] : [id]),
    ...(elsewhere ? [elsewhere.time, elsewhere.time, elsewhere.id] : []),
  ];
  const read = (table: string) =>
    db.query<EntryRow>(
      `SELECT ${refundColumns} FROM ${table} t ${refundJoins}
       WHERE t.user_id = ?${below}${older} AND ((t.type = 0 AND t.status = 1) OR d.id IS NOT NULL)
       ORDER BY t.id DESC LIMIT ?`,
      [userId, ...values, limit],
    );
  const hot = await read(archivedTrades.table);
  const archived = hot.length < limit ? await read(archivedTrades.archive) : [];
  return mergedPage(hot, archived, newestFirst, limit).map((row) => ({ id: String(row.id), entry: toEntry(row) }));
}

function toEntry(row: EntryRow): SpentGift | StoredRefund {
  if (Number(row.type) !== 0)
    return {
      ...{ kind: "refund", shortfall: toSafeInteger(row.shortfall ?? 0), debt: toSafeInteger(row.debt ?? 0) },
      ...{ orderId: payOrderOf(row.biz_id), time: row.create_time },
    };
  const coins = -toSafeInteger(row.num);
  return {
    kind: "gift",
    id: String(row.id),
    orderId: row.biz_id,
    anchorId: String(row.counterparty_id),
    coins,
    sharePercent: percentOf(row.biz_id, coins, toSafeInteger(row.counterparty_income_points)),
    time: row.create_time,
  };
}

/** @throws RangeError where a gift's income is no whole percent of it: nothing may be calculated from such a row. */
function percentOf(bizId: string, coins: number, incomePoints: number): number {
  const percent = incomePoints / coins;
  if (!isPercent(percent)) throw new RangeError(`the income of gift ${bizId} is no whole percent of it`);
  return percent;
}

/** Writes the postings of decisions and the gifts that they hold. Fails with a duplicate key where one exists. */
export async function insertHolds(
  tx: Transaction,
  orderId: string,
  moves: readonly HoldMove[],
  reason: string,
  sealing: Sealing,
): Promise<void> {
  await insertPostings(
    tx,
    moves.map(({ parts: _parts, ...move }) => ({ ...move, valid: true, orderId, reason })),
    sealing,
  );
  const gifts = moves.flatMap(({ bizId, parts }) => parts.map((part) => ({ bizId, ...part })));
  const { holdGiftsPerInsert } = limits.wallet;
  for (let from = 0; from < gifts.length; from += holdGiftsPerInsert)
    await insertGifts(tx, gifts.slice(from, from + holdGiftsPerInsert), sealing);
}

async function insertGifts(
  tx: Transaction,
  gifts: readonly (GiftPart & { bizId: string })[],
  sealing: Sealing,
): Promise<void> {
  const time = await sealing.time();
  const rows = gifts.map(({ bizId, gift, coinsFrom, coins, sharePoints }) => [
    ...[bizId, gift.orderId, coinsFrom, coins, sharePoints],
  ]);
  const { insertId } = await tx.run(
    `INSERT INTO t_income_hold_gift (hold_biz_id, gift_biz_id, coins_from, coins, points, create_time)
     VALUES ${gifts.map(() => "(?,?,?,?,?,?)").join(", ")}`,
    rows.flatMap((row) => [...row, time]),
  );
  sealing.cover(
    sealedLedgers.holdGifts,
    insertId,
    rows,
    gifts.reduce((sum, { sharePoints }) => sum + BigInt(sharePoints), 0n),
  );
}

/**
 * Whether a move of staff has been carried out on this order, or, where there are several servers, its part on this one.
 * With one server the payer's account must be locked, here and below.
 */
export async function wasCarriedOut(tx: Queryable, moveId: string, orderId: string): Promise<boolean> {
  const rows = await tx.query("SELECT 1 FROM t_wallet_carried_out WHERE move_id = ? AND order_id = ?", [
    ...[moveId, orderId],
  ]);
  return rows.length > 0;
}

/** Notes that it is, in the transaction that does it. Fails with a duplicate key where it was, on another order. */
export async function noteCarriedOut(tx: Transaction, moveId: string, orderId: string): Promise<void> {
  await tx.run("INSERT INTO t_wallet_carried_out (move_id, order_id, create_time) VALUES (?, ?, UTC_TIMESTAMP(3))", [
    ...[moveId, orderId],
  ]);
}

/** Whose shares a release of staff is about, where there are several servers; `undefined` before it has begun. */
export async function readReleaseList(
  home: Queryable,
  moveId: string,
  orderId: string,
): Promise<readonly string[] | undefined> {
  const sql = "SELECT anchor_ids FROM t_wallet_release_list WHERE move_id = ? AND order_id = ?";
  const [row] = await home.query<{ anchor_ids: string | string[] }>(sql, [moveId, orderId]);
  return typeof row?.anchor_ids === "string" ? JSON.parse(row.anchor_ids) : row?.anchor_ids;
}

/**
 * Writes it on the home server, before any of its parts: it is durable when this resolves. Fails with a duplicate key where
 * another call has written it.
 */
export async function writeReleaseList(
  home: Queryable,
  moveId: string,
  orderId: string,
  anchorIds: readonly string[],
): Promise<void> {
  await home.run(
    "INSERT INTO t_wallet_release_list (move_id, order_id, anchor_ids, create_time) VALUES (?, ?, ?, UTC_TIMESTAMP(3))",
    [moveId, orderId, JSON.stringify(anchorIds)],
  );
}
