import { limits } from "../../config/limits.ts";
import { byId, mergedPage } from "../../mixins/archive/merged-page.ts";
import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";
import { archivedTrades } from "../archived-tables.ts";
import { kindOfPosting } from "./income/income-store.ts";
import { wholeCoins } from "./points.ts";
import type { ShownPosting, StoryHold, StoryTrade } from "./staff.contract.ts";

/** SQL by which staff look up the ledgers, each statement by an index and bounded. */

/** A trade with its id, by which rows before and after it are told. */
export interface KnownTrade extends StoryTrade {
  readonly id: string;
}

interface TradeRow {
  id: string;
  biz_id: string;
  user_id: string;
  num: string;
  type: number;
  status: number;
  reason: string | null;
  counterparty_id: string | null;
  counterparty_income_points: string;
  balance_after: string;
  create_time: Date;
}

/** Those of the business ids that are in the ledger, oldest first, archived ones too. */
export async function tradesByBizId(db: Queryable, bizIds: readonly string[]): Promise<KnownTrade[]> {
  const read = (table: string) =>
    db.query<TradeRow>(
      `SELECT id, biz_id, user_id, num, type, status, reason, counterparty_id, counterparty_income_points,
         balance_after, create_time FROM ${table} WHERE biz_id IN (?) ORDER BY id`,
      [bizIds],
    );
  const hot = await read(archivedTrades.table);
  const archived = hot.length < bizIds.length ? await read(archivedTrades.archive) : [];
  return mergedPage(hot, archived, byId, bizIds.length).map((row) => ({
    id: String(row.id),
    bizId: row.biz_id,
    userId: String(row.user_id),
    num: toSafeInteger(row.num),
    type: Number(row.type),
    status: Number(row.status),
    reason: row.reason,
    counterpartyId: row.counterparty_id === null ? null : String(row.counterparty_id),
    incomePoints: toSafeInteger(row.counterparty_income_points),
    balanceAfter: toSafeInteger(row.balance_after),
    time: row.create_time.toISOString(),
  }));
}

/** Those of the business ids that are in the ledger of debts, oldest first. */
export async function debtsByBizId(
  db: Queryable,
  bizIds: readonly string[],
): Promise<{ bizId: string; num: number; time: string }[]> {
  const rows = await db.query<{ biz_id: string; num: string; create_time: Date }>(
    "SELECT biz_id, num, create_time FROM t_wallet_debt WHERE biz_id IN (?) ORDER BY id",
    [bizIds],
  );
  return rows.map((row) => ({
    bizId: row.biz_id,
    num: toSafeInteger(row.num),
    time: row.create_time.toISOString(),
  }));
}

/** The business ids of the first refunds of a user that left a debt at a time or later, with one more than are shown. */
export async function debtRefundsSince(
  db: Queryable,
  userId: string,
  since: Date,
): Promise<{ bizId: string; time: Date }[]> {
  const rows = await db.query<{ biz_id: string; create_time: Date }>(
    "SELECT biz_id, create_time FROM t_wallet_debt WHERE user_id = ? AND num > 0 AND create_time >= ? ORDER BY id LIMIT ?",
    [userId, since, limits.lookup.refundsAttributed + 1],
  );
  return rows.map(({ biz_id, create_time }) => ({ bizId: biz_id, time: create_time }));
}

interface HoldRow {
  hold_biz_id: string;
  order_id: string | null;
  anchor_id: string;
  coins: string | null;
  points: string;
  reason: string | null;
  create_time: Date;
  released_time: Date | null;
  release_reason: string | null;
}

function storyHold(row: HoldRow): StoryHold {
  return {
    orderId: row.order_id ?? "",
    anchorId: String(row.anchor_id),
    coins: row.coins === null ? null : toSafeInteger(row.coins),
    points: Math.abs(toSafeInteger(row.points)),
    reason: row.reason,
    time: row.create_time.toISOString(),
    releasedTime: row.released_time?.toISOString() ?? null,
    releaseReason: row.release_reason,
  };
}

/** A release has the business id of its hold with another beginning: both are unique. */
const released = `LEFT JOIN t_income_posting r ON r.biz_id = CONCAT('release:', SUBSTRING(h.biz_id, 6)) AND r.kind = 2`;
const shown = `h.order_id, h.anchor_id, h.reason, h.create_time, r.create_time AS released_time,
  r.reason AS release_reason`;

/** The holds that a gift is in, with one more than are shown. */
export async function holdsOfGift(db: Queryable, giftBizId: string): Promise<StoryHold[]> {
  const rows = await db.query<HoldRow>(
    `SELECT g.coins, g.points, ${shown} FROM t_income_hold_gift g
       JOIN t_income_posting h ON h.biz_id = g.hold_biz_id ${released}
     WHERE g.gift_biz_id = ? ORDER BY g.coins_from LIMIT ?`,
    [giftBizId, limits.lookup.storyRows + 1],
  );
  return rows.map(storyHold);
}

/** The holds for a refunded order, with one more than are shown. */
export async function holdsOfOrder(db: Queryable, orderId: string): Promise<StoryHold[]> {
  const rows = await db.query<HoldRow>(
    `SELECT NULL AS coins, h.points, ${shown} FROM t_income_posting h ${released}
     WHERE h.order_id = ? AND h.kind = 1 ORDER BY h.id LIMIT ?`,
    [orderId, limits.lookup.storyRows + 1],
  );
  return rows.map(storyHold);
}

/** The time of a posting. */
export async function timeOfPosting(db: Queryable, id: string): Promise<Date | undefined> {
  const [row] = await db.query<{ create_time: Date }>("SELECT create_time FROM t_income_posting WHERE id = ?", [id]);
  return row?.create_time;
}

/**
 * An anchor's postings with ids below the cursor, newest first. `at`: the cursor is of another server, and this is its
 * time; of postings of one time those with the smaller id come later.
 */
export async function postingsOfAnchor(
  db: Queryable,
  query: { userId: string; cursor?: string | undefined; at?: Date | undefined; limit: number },
): Promise<{ list: ShownPosting[]; nextCursor: string | null }> {
  const { userId, cursor, at, limit } = query;
  const older = at ? "AND create_time <= ? AND (create_time < ? OR id < ?)" : "AND id < ?";
  const below = cursor === undefined ? "" : older;
  const rows = await db.query<{
    id: string;
    kind: number;
    points: string;
    status: number;
    biz_id: string;
    order_id: string | null;
    reason: string | null;
    create_time: Date;
  }>(
    `SELECT id, kind, points, status, biz_id, order_id, reason, create_time FROM t_income_posting
     WHERE anchor_id = ? ${below} ORDER BY id DESC LIMIT ?`,
    [userId, ...(at ? [at, at] : []), ...(cursor === undefined ? [] : [cursor]), limit + 1],
  );
  const list = rows.slice(0, limit).map((row) => {
    const points = toSafeInteger(row.points);
    return {
      ...{ id: String(row.id), kind: kindOfPosting(Number(row.kind)), points, coins: wholeCoins(points) },
      ...{ status: Number(row.status), bizId: row.biz_id, orderId: row.order_id, reason: row.reason },
      createTime: row.create_time.toISOString(),
    };
  });
  return { list, nextCursor: rows.length > limit ? (list.at(-1)?.id ?? null) : null };
}
