import { randomUUID } from "node:crypto";
import { limits } from "../../../config/limits.ts";
import { type Queryable, type Transaction, toSafeInteger } from "../../../mixins/mysql/database.ts";
import type { Sealing } from "../../../mixins/seals/seal-chains.ts";
import { sealedLedgers } from "../../book-seals.ts";
import { giftsPostingId } from "../business-ids.ts";
import { type IncomePosting, type IncomeTotals, noIncome, type PostingKind } from "./income-posting.ts";

/**
 * SQL of anchors' income: pending rows, ledger, totals. A transaction that writes postings first locks the totals,
 * those of several anchors in the order of their ids, and changes them too.
 */

const kinds: readonly PostingKind[] = ["gifts", "hold", "release", "payout"];

/** The kind of a row; its number where it is none of these. */
export const kindOfPosting = (kind: number): string => kinds[kind] ?? String(kind);

function byNumber(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1);
}

/** Writes what anchors earned in a batch of gifts, points by anchor; `rollUpIncomes` adds it to their totals. */
export async function insertPendingIncomes(tx: Transaction, incomes: ReadonlyMap<string, bigint>): Promise<void> {
  if (incomes.size === 0) return;
  // As text: the sum of many gifts may exceed 2^53.
  const entries = [...incomes].map(([anchorId, points]) => [anchorId, String(points)]);
  await tx.run("INSERT INTO t_anchor_income_pending (incomes) VALUES (?)", [JSON.stringify(entries)]);
}

/** The pending row with the lowest id, and its age in ms. */
export async function firstPending(db: Queryable): Promise<{ id: string; waitingMs: number } | undefined> {
  const [row] = await db.query<{ id: string; waiting: string }>(
    `SELECT id, TIMESTAMPDIFF(MICROSECOND, create_time, UTC_TIMESTAMP(3)) AS waiting
     FROM t_anchor_income_pending ORDER BY id LIMIT 1`,
  );
  return row && { id: String(row.id), waitingMs: Number(row.waiting) / 1_000 };
}

/** One round takes at most `rows` pending rows, and no further row once it has `entries` entries of anchors. */
export interface RoundBounds {
  readonly rows: number;
  readonly entries: number;
}

/** Locks the rows of a round; rows that another round has locked are skipped. */
async function takeRows(tx: Transaction, bounds: RoundBounds): Promise<{ ids: string[]; more: boolean }> {
  const rows = await tx.query<{ id: string; entries: number }>(
    "SELECT id, entries FROM t_anchor_income_pending ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED",
    [bounds.rows],
  );
  const ids: string[] = [];
  let entries = 0;
  for (const row of rows) {
    if (entries >= bounds.entries) break;
    entries += Number(row.entries);
    ids.push(String(row.id));
  }
  return { ids, more: ids.length < rows.length || rows.length === bounds.rows };
}

/**
 * Deletes pending rows, adds them to the anchors' totals and posts each anchor's sum, in one transaction. So each row
 * counts once, in whatever order rows become visible and however many nodes do it. The round has a random id, since the
 * ids of pending rows may come again: the counter of a table that is normally empty may restart.
 */
export async function rollUpIncomes(
  tx: Transaction,
  bounds: RoundBounds,
  sealing: Sealing,
): Promise<{ rows: number; more: boolean }> {
  const { ids, more } = await takeRows(tx, bounds);
  if (ids.length === 0) return { rows: 0, more: false };
  const rows = await tx.query<{ incomes: unknown }>("SELECT incomes FROM t_anchor_income_pending WHERE id IN (?)", [
    ids,
  ]);
  const round = randomUUID();
  const sums = new Map<string, bigint>();
  for (const { incomes } of rows) {
    const parsed = (typeof incomes === "string" ? JSON.parse(incomes) : incomes) as [
      anchorId: string,
      points: string,
    ][];
    for (const [anchorId, points] of parsed) sums.set(anchorId, (sums.get(anchorId) ?? 0n) + BigInt(points));
  }
  const anchors = [...sums].sort(([a], [b]) => byNumber(a, b));
  for (const part of portions(anchors))
    await tx.run(
      `INSERT INTO t_anchor_income (user_id, earned_points) VALUES ${part.map(() => "(?,?)").join(", ")}
       ON DUPLICATE KEY UPDATE earned_points = earned_points + VALUES(earned_points)`,
      part.flatMap(([anchorId, points]) => [anchorId, String(points)]),
    );
  const postings = anchors.map(
    ([anchorId, points]): PostingToWrite => ({
      ...{ anchorId, kind: "gifts", points, valid: true, bizId: giftsPostingId(round, anchorId) },
      ...{ orderId: null, reason: null },
    }),
  );
  await insertRows(tx, postings, sealing);
  await tx.run("DELETE FROM t_anchor_income_pending WHERE id IN (?)", [ids]);
  return { rows: ids.length, more };
}

function portions<Item>(items: readonly Item[]): Item[][] {
  const size = limits.wallet.incomeAnchorsPerStatement;
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}

interface TotalsRow {
  earned_points: string;
  held_points: string;
  paid_out_points: string;
}

/** @throws RangeError where a sum exceeds 2^53: it is exact in the database, but nothing is calculated from it. */
function toTotals(row: TotalsRow): IncomeTotals {
  return {
    earnedPoints: toSafeInteger(row.earned_points),
    heldBackPoints: toSafeInteger(row.held_points),
    paidOutPoints: toSafeInteger(row.paid_out_points),
  };
}

/** Makes the anchor's row, for `lockTotals` to lock: with several servers she may have earned all of it elsewhere. */
export async function ensureTotals(tx: Transaction, anchorId: string): Promise<void> {
  await tx.run("INSERT INTO t_anchor_income (user_id) VALUES (?) ON DUPLICATE KEY UPDATE user_id = user_id", [
    anchorId,
  ]);
}

/**
 * An anchor's totals, locked until the transaction ends. An anchor without a row has 0 of everything and nothing is
 * locked: then the unique business id alone excludes a second decision.
 */
export async function lockTotals(tx: Transaction, anchorId: string): Promise<IncomeTotals> {
  const [row] = await tx.query<TotalsRow>(
    "SELECT earned_points, held_points, paid_out_points FROM t_anchor_income WHERE user_id = ? FOR UPDATE",
    [anchorId],
  );
  return row ? toTotals(row) : noIncome;
}

/**
 * Writes holds, releases or payouts and changes the totals, in the order of the anchors' ids, many in one statement.
 * Fails with a duplicate key where one of them exists.
 */
export async function insertPostings(
  tx: Transaction,
  postings: readonly IncomePosting[],
  sealing: Sealing,
): Promise<void> {
  const ordered = postings.toSorted((a, b) => byNumber(a.anchorId, b.anchorId));
  const valid = ordered.filter((posting) => posting.valid);
  for (const part of portions(valid.filter(({ kind }) => kind === "hold"))) await changeHeld(tx, "+", part);
  for (const part of portions(valid.filter(({ kind }) => kind === "release"))) await changeHeld(tx, "-", part);
  for (const posting of valid.filter(({ kind }) => kind === "payout")) await addPayout(tx, posting);
  await insertRows(tx, ordered, sealing);
}

type PostingToWrite = Omit<IncomePosting, "points"> & { points: number | bigint };

/** Writes rows of t_income_posting and seals them, without the reasons, which people typed. */
async function insertRows(tx: Transaction, postings: readonly PostingToWrite[], sealing: Sealing): Promise<void> {
  const time = await sealing.time();
  for (const part of portions(postings)) {
    const rows = part.map(({ anchorId, kind, points, valid, bizId, orderId }) => [
      ...[anchorId, kinds.indexOf(kind), String(points), valid ? 1 : 0, bizId, orderId],
    ]);
    const { insertId } = await tx.run(
      `INSERT INTO t_income_posting (anchor_id, kind, points, status, biz_id, order_id, reason, create_time)
       VALUES ${part.map(() => "(?,?,?,?,?,?,?,?)").join(", ")}`,
      rows.flatMap((row, at) => [...row, part[at]?.reason ?? null, time]),
    );
    const sum = part.reduce((all, { points, valid }) => all + (valid ? BigInt(points) : 0n), 0n);
    sealing.cover(sealedLedgers.postings, insertId, rows, sum);
  }
}

/** A hold may make the anchor's row, since her income may not be rolled up yet. A release needs the hold's row. */
async function changeHeld(tx: Transaction, sign: "+" | "-", postings: readonly IncomePosting[]): Promise<void> {
  const { affectedRows } = await tx.run(
    `INSERT INTO t_anchor_income (user_id, held_points) VALUES ${postings.map(() => "(?,?)").join(", ")}
     ON DUPLICATE KEY UPDATE held_points = held_points ${sign} VALUES(held_points)`,
    postings.flatMap(({ anchorId, points }) => [anchorId, Math.abs(points)]),
  );
  // MySQL counts 2 for a row that is changed and 1 for a row that is inserted.
  if (sign === "-" && affectedRows !== 2 * postings.length)
    throw new Error(`of ${postings.length} anchors, the first ${postings[0]?.anchorId}, some have no income held back`);
}

/** @throws Error where the anchor has no row: a decision locks it first. */
async function addPayout(tx: Transaction, { anchorId, points }: IncomePosting): Promise<void> {
  const paid = "UPDATE t_anchor_income SET paid_out_points = paid_out_points - ? WHERE user_id = ?";
  const { affectedRows } = await tx.run(paid, [points, anchorId]);
  if (affectedRows !== 1) throw new Error(`anchor ${anchorId} has no row of income to be paid from`);
}

interface PostingRow {
  anchor_id: string;
  kind: number;
  points: string;
  status: number;
  biz_id: string;
  order_id: string | null;
  reason: string | null;
  create_time: Date;
}

function toPosting(row: PostingRow): IncomePosting & { time: Date } {
  return {
    kind: kinds[Number(row.kind)] as PostingKind,
    anchorId: String(row.anchor_id),
    points: toSafeInteger(row.points),
    valid: Number(row.status) === 1,
    bizId: row.biz_id,
    orderId: row.order_id,
    reason: row.reason,
    time: row.create_time,
  };
}

const postingColumns = "anchor_id, kind, points, status, biz_id, order_id, reason, create_time";

export async function findPosting(db: Queryable, bizId: string): Promise<(IncomePosting & { time: Date }) | undefined> {
  const [row] = await db.query<PostingRow>(`SELECT ${postingColumns} FROM t_income_posting WHERE biz_id = ?`, [bizId]);
  return row && toPosting(row);
}

/** The holds and releases of a refunded order. */
export async function postingsOfOrder(db: Queryable, orderId: string): Promise<IncomePosting[]> {
  const rows = await db.query<PostingRow>(`SELECT ${postingColumns} FROM t_income_posting WHERE order_id = ?`, [
    orderId,
  ]);
  return rows.map(toPosting);
}

/** An anchor's totals in one snapshot, and the time up to which they hold every settled gift. */
export async function readIncome(db: Queryable, anchorId: string): Promise<IncomeTotals & { settledUpTo: Date }> {
  const [row] = await db.query<TotalsRow & { settled_up_to: Date }>(
    `SELECT COALESCE(earned_points, 0) AS earned_points, COALESCE(held_points, 0) AS held_points,
       COALESCE(paid_out_points, 0) AS paid_out_points,
       COALESCE((SELECT MIN(create_time) FROM t_anchor_income_pending), UTC_TIMESTAMP(3)) AS settled_up_to
     FROM (SELECT 1 AS one) present LEFT JOIN t_anchor_income ON user_id = ?`,
    [anchorId],
  );
  if (!row) throw new Error("a query that always has a row had none");
  return { ...toTotals(row), settledUpTo: row.settled_up_to };
}

/** Removes what people typed about the user's postings; it stands outside their seals. */
export async function erasePostingReasons(db: Queryable, userId: string): Promise<void> {
  const { eraseRows } = limits.erasure;
  for (let rows: number = eraseRows; rows === eraseRows; )
    rows = (
      await db.run("UPDATE t_income_posting SET reason = NULL WHERE anchor_id = ? AND reason IS NOT NULL LIMIT ?", [
        userId,
        eraseRows,
      ])
    ).affectedRows;
}
