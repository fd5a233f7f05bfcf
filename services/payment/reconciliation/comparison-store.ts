import { limits } from "../../../config/limits.ts";
import type { Queryable, Transaction } from "../../../mixins/mysql/database.ts";
import type { OpenDifference } from "../operators.contract.ts";
import type { Difference } from "../payment.contract.ts";

/** A day of a channel, or of the wallet. */
export interface DayOfChannel {
  readonly date: string;
  readonly channel: string;
}

/** The latest comparison of a day with a channel, and its latest attempt. */
export interface StoredComparison extends DayOfChannel {
  /** `null`: not compared yet. */
  readonly comparedTime: Date | null;
  readonly compared: number;
  readonly problem: string | null;
  readonly nextTime: Date | null;
  /** It has differences that nobody has resolved. */
  readonly hasOpen: boolean;
}

const reasonChars = limits.payment.reasonChars;

interface DifferenceRow {
  id: string;
  kind: string;
  order_id: string;
  transaction_id: string;
  detail: string;
}

/** A difference as its row has it: a trailing space is no difference to MySQL, and half a character is none at all. */
function columnsOf({ kind, orderId, transactionId, detail }: Difference): Omit<DifferenceRow, "id"> {
  const stored = (text: string, chars: number) => text.toWellFormed().slice(0, chars).toWellFormed().trimEnd();
  return {
    kind,
    order_id: stored(orderId, 80),
    transaction_id: stored(transactionId ?? "", 64),
    detail: stored(detail, reasonChars),
  };
}

const keyOf = ({ kind, order_id, transaction_id, detail }: Omit<DifferenceRow, "id">) =>
  JSON.stringify([kind, order_id, transaction_id, detail]);

/**
 * Stores a comparison and its differences. A difference that an earlier comparison found keeps its row, and with it
 * what an operator resolved; one that is not found any more is deleted. Comparisons of the same day wait for each
 * other. Returns how many differences are open.
 */
export async function keepComparison(
  tx: Transaction,
  { date, channel, compared, at }: DayOfChannel & { compared: number; at: Date },
  differences: readonly Difference[],
): Promise<number> {
  await tx.run(
    `INSERT INTO t_pay_comparison (bill_date, channel, compared_time, compared) VALUES (?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE compared_time = VALUES(compared_time), compared = VALUES(compared), problem = NULL,
       next_time = NULL`,
    [date, channel, at, compared],
  );
  const found = new Map(differences.map(columnsOf).map((row) => [keyOf(row), row]));
  const stored = await tx.query<DifferenceRow & { is_open: number }>(
    `SELECT id, kind, order_id, transaction_id, detail, resolve_time IS NULL AS is_open FROM t_pay_difference
     WHERE bill_date = ? AND channel = ?`,
    [date, channel],
  );
  const gone = stored.filter((row) => !found.has(keyOf(row)));
  const kept = stored.filter((row) => found.has(keyOf(row)));
  for (const row of kept) found.delete(keyOf(row));
  const most = limits.payment.billLinesPerCall;
  for (let from = 0; from < gone.length; from += most)
    await tx.run("DELETE FROM t_pay_difference WHERE id IN (?)", [gone.slice(from, from + most).map(({ id }) => id)]);
  const created = [...found.values()].map((row) => [date, channel, ...Object.values(row), at]);
  for (let from = 0; from < created.length; from += most)
    await tx.run(
      `INSERT INTO t_pay_difference (bill_date, channel, kind, order_id, transaction_id, detail, create_time) VALUES ?`,
      [created.slice(from, from + most)],
    );
  return created.length + kept.filter(({ is_open }) => Number(is_open) === 1).length;
}

/** A day could not be compared: it is tried again at `nextTime`. An earlier comparison stays. */
export async function postponeComparison(
  db: Queryable,
  { date, channel }: DayOfChannel,
  problem: string,
  nextTime: Date,
): Promise<void> {
  await db.run(
    `INSERT INTO t_pay_comparison (bill_date, channel, problem, next_time) VALUES (?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE problem = VALUES(problem), next_time = VALUES(next_time)`,
    [date, channel, problem.slice(0, reasonChars), nextTime],
  );
}

/** The comparisons of the days from `since` (YYYY-MM-DD) on, newest day first. */
export async function comparisonsSince(db: Queryable, since: string): Promise<StoredComparison[]> {
  const rows = await db.query<{
    date: string;
    channel: string;
    compared_time: Date | null;
    compared: number;
    problem: string | null;
    next_time: Date | null;
    has_open: number;
  }>(
    `SELECT DATE_FORMAT(c.bill_date, '%Y-%m-%d') AS date, c.channel, c.compared_time, c.compared, c.problem,
       c.next_time, EXISTS (SELECT 1 FROM t_pay_difference d
         WHERE d.bill_date = c.bill_date AND d.channel = c.channel AND d.resolve_time IS NULL) AS has_open
     FROM t_pay_comparison c WHERE c.bill_date >= ? ORDER BY c.bill_date DESC, c.channel`,
    [since],
  );
  return rows.map(({ compared_time, next_time, has_open, ...row }) => ({
    ...row,
    comparedTime: compared_time,
    nextTime: next_time,
    hasOpen: Number(has_open) === 1,
  }));
}

/** The number of open differences of the days from `since` on, counted up to `limits.metrics.countedRows` in all. */
export async function openSince(db: Queryable, since: string): Promise<(DayOfChannel & { open: number })[]> {
  const rows = await db.query<{ date: string; channel: string; open: string }>(
    `SELECT DATE_FORMAT(bill_date, '%Y-%m-%d') AS date, channel, COUNT(*) AS open
     FROM (SELECT bill_date, channel FROM t_pay_difference WHERE resolve_time IS NULL AND bill_date >= ? LIMIT ?)
       AS counted GROUP BY bill_date, channel`,
    [since, limits.metrics.countedRows],
  );
  return rows.map(({ open, ...row }) => ({ ...row, open: Number(open) }));
}

/** When each channel was last compared. */
export async function lastComparisons(db: Queryable): Promise<Map<string, Date>> {
  const rows = await db.query<{ channel: string; last: Date }>(
    "SELECT channel, MAX(compared_time) AS last FROM t_pay_comparison WHERE compared_time IS NOT NULL GROUP BY channel",
  );
  return new Map(rows.map(({ channel, last }) => [channel, last]));
}

/** The number of open differences by channel and kind, counted up to `limits.metrics.countedRows` in all. */
export async function openDifferences(db: Queryable): Promise<{ channel: string; kind: string; open: number }[]> {
  const rows = await db.query<{ channel: string; kind: string; open: string }>(
    `SELECT channel, kind, COUNT(*) AS open
     FROM (SELECT channel, kind FROM t_pay_difference WHERE resolve_time IS NULL LIMIT ?) AS counted
     GROUP BY channel, kind`,
    [limits.metrics.countedRows],
  );
  return rows.map(({ open, ...row }) => ({ ...row, open: Number(open) }));
}

/** Open differences by id, after the one with the id `cursor`. */
export async function differencesAfter(
  db: Queryable,
  { date, channel, cursor = "0", limit }: { date?: string; channel?: string; cursor?: string; limit: number },
): Promise<OpenDifference[]> {
  const rows = await db.query<DifferenceRow & { date: string; channel: string; create_time: Date }>(
    `SELECT id, DATE_FORMAT(bill_date, '%Y-%m-%d') AS date, channel, kind, order_id, transaction_id, detail, create_time
     FROM t_pay_difference
     WHERE resolve_time IS NULL AND id > ? AND (? OR bill_date = ?) AND (? OR channel = ?) ORDER BY id LIMIT ?`,
    [cursor, date === undefined, date ?? "2000-01-01", channel === undefined, channel ?? "", limit],
  );
  return rows.map(({ id, order_id, transaction_id, create_time, ...row }) => ({
    ...row,
    id: Number(id),
    orderId: order_id,
    transactionId: transaction_id || null,
    foundTime: create_time.toISOString(),
  }));
}

/** Resolves a difference, once; `null` where there is none with this id. A repeat gets the first reason. */
export async function resolveStored(
  db: Queryable,
  id: number,
  reason: string,
): Promise<{ resolveTime: Date; reason: string } | null> {
  await db.run(
    `UPDATE t_pay_difference SET resolve_time = UTC_TIMESTAMP(3), resolve_reason = ?
     WHERE id = ? AND resolve_time IS NULL`,
    [reason, id],
  );
  const [row] = await db.query<{ resolve_time: Date; resolve_reason: string }>(
    "SELECT resolve_time, resolve_reason FROM t_pay_difference WHERE id = ? AND resolve_time IS NOT NULL",
    [id],
  );
  return row ? { resolveTime: row.resolve_time, reason: row.resolve_reason } : null;
}

/** Removes how people explained differences of these orders. */
export async function eraseResolveReasons(db: Queryable, orderIds: readonly string[]): Promise<void> {
  await db.run("UPDATE t_pay_difference SET resolve_reason = NULL WHERE order_id IN (?)", [orderIds]);
}
