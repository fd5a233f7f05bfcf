import { limits } from "../../config/limits.ts";
import { type Queryable, type Transaction, toSafeInteger } from "../../mixins/mysql/database.ts";
import { type Board, beyondSafe, type Total } from "./boards.ts";

/** SQL of the sums of users on boards. */

const board = "generation = ? AND kind = ? AND period = ? AND scope = ?";
const keyOf = (generation: number, { kind, period, scope }: Board) => [generation, kind, period, scope];
/** In the order of the list. The primary key would do for some of these reads, and take longer the longer the list is. */
const inRank = "t_rank_total FORCE INDEX (idx_rank)";
/** Who is first: most coins, then who reached them first, then the smaller id. */
const inOrder = "coins DESC, reached_ms, user_id";

/** MySQL's and MariaDB's number for a CHECK that is violated. */
const checkViolated: ReadonlySet<unknown> = new Set([3819, 4025]);

/**
 * Adds sums, in the given order, which is that of the primary key. @throws RangeError that names the board, where a sum
 * would be no safe integer
 */
export async function addTotals(tx: Transaction, generation: number, totals: readonly Total[]): Promise<void> {
  for (let from = 0; from < totals.length; from += limits.rank.rowsPerStatement) {
    const some = totals.slice(from, from + limits.rank.rowsPerStatement);
    try {
      await tx.run(
        `INSERT INTO t_rank_total (generation, kind, period, scope, user_id, coins, reached_ms)
         VALUES ${some.map((total) => rowText(generation, total)).join(",")}
         ON DUPLICATE KEY UPDATE coins = coins + VALUES(coins), reached_ms = GREATEST(reached_ms, VALUES(reached_ms))`,
      );
    } catch (error) {
      if (!checkViolated.has((error as { errno?: unknown } | null)?.errno)) throw error;
      throw (await firstBeyondSafe(tx, generation, some)) ?? error;
    }
  }
}

const isId = (text: string) => /^\d{1,20}$/.test(text);

/** A row as SQL. It is written here, since the driver takes longer for the values of a gift than all else together. */
function rowText(generation: number, { kind, period, scope, userId, coins, reachedMs }: Total): string {
  if (!isId(scope) || !isId(userId)) throw new TypeError("a room, an anchor or a user of a board is no id");
  return `(${Number(generation)},${Number(kind)},${Number(period)},${scope},${userId},${Number(coins)},${Number(reachedMs)})`;
}

async function firstBeyondSafe(
  tx: Transaction,
  generation: number,
  totals: readonly Total[],
): Promise<RangeError | undefined> {
  for (const total of totals) {
    const known = await findTotal(tx, generation, total, total.userId);
    if (known && !Number.isSafeInteger(known.coins + total.coins)) return beyondSafe(total, total.userId);
  }
  return undefined;
}

interface Row {
  user_id: string;
  coins: string;
  reached_ms: string;
}

/** A user's sum on a board. */
export interface Sum {
  readonly userId: string;
  readonly coins: number;
  readonly reachedMs: number;
}

const toSum = (row: Row): Sum => ({
  userId: String(row.user_id),
  coins: toSafeInteger(row.coins),
  reachedMs: toSafeInteger(row.reached_ms),
});

/** The first of a board, in order. */
export async function firstOf(db: Queryable, generation: number, of: Board): Promise<Sum[]> {
  const rows = await db.query<Row>(
    `SELECT user_id, coins, reached_ms FROM ${inRank} WHERE ${board} ORDER BY ${inOrder} LIMIT ?`,
    [...keyOf(generation, of), limits.rank.listed],
  );
  return rows.map(toSum);
}

export async function findTotal(
  db: Queryable,
  generation: number,
  of: Board,
  userId: string,
): Promise<Sum | undefined> {
  const [row] = await db.query<Row>(
    `SELECT user_id, coins, reached_ms FROM t_rank_total WHERE ${board} AND user_id = ?`,
    [...keyOf(generation, of), userId],
  );
  return row && toSum(row);
}

/** Every `limits.rank.fenceEntries`th entry of a board, in order, beginning with the first; up to the last place. */
export async function fencesOf(db: Queryable, generation: number, of: Board): Promise<Sum[]> {
  const { fenceEntries, placesCounted } = limits.rank;
  const rows = await db.query<Row>(
    `SELECT user_id, coins, reached_ms FROM (
       SELECT user_id, coins, reached_ms, ROW_NUMBER() OVER (ORDER BY ${inOrder}) AS place FROM (
         SELECT user_id, coins, reached_ms FROM ${inRank} WHERE ${board} ORDER BY ${inOrder} LIMIT ?) first) numbered
     WHERE place MOD ? = 1 ORDER BY place`,
    [...keyOf(generation, of), placesCounted, fenceEntries],
  );
  return rows.map(toSum);
}

/** The conditions of three ranges of the index that are all entries before a sum. */
const before = ({ userId, coins, reachedMs }: Sum): [string, unknown[]][] => [
  ["coins > ?", [coins]],
  ["coins = ? AND reached_ms < ?", [coins, reachedMs]],
  ["coins = ? AND reached_ms = ? AND user_id < ?", [coins, reachedMs, userId]],
];

/**
 * How many are before a sum, from `fence` on where that is before it, counted up to `most`: ranges of the index, each
 * bounded.
 */
export async function countBefore(
  db: Queryable,
  generation: number,
  of: Board,
  sum: Sum,
  { fence, most }: { fence: Sum | undefined; most: number },
): Promise<number> {
  const key = keyOf(generation, of);
  const ranges = (fence ? between(fence, sum) : before(sum)).map(([where, values]) => ({
    sql: `(SELECT 1 FROM ${inRank} WHERE ${board} AND ${where} LIMIT ?)`,
    values: [...key, ...values, most],
  }));
  const [row] = await db.query<{ places: string }>(
    `SELECT COUNT(*) AS places FROM (${ranges.map(({ sql }) => sql).join(" UNION ALL ")}) better`,
    ranges.flatMap(({ values }) => values),
  );
  return toSafeInteger(row?.places ?? 0);
}

/** The conditions of ranges of the index that are all entries from `from` on, and before `to`. */
function between(from: Sum, to: Sum): [string, unknown[]][] {
  const { coins, reachedMs, userId } = from;
  if (coins === to.coins && reachedMs === to.reachedMs)
    return [["coins = ? AND reached_ms = ? AND user_id >= ? AND user_id < ?", [coins, reachedMs, userId, to.userId]]];
  const first: [string, unknown[]] = ["coins = ? AND reached_ms = ? AND user_id >= ?", [coins, reachedMs, userId]];
  const last: [string, unknown[]] = [
    "coins = ? AND reached_ms = ? AND user_id < ?",
    [to.coins, to.reachedMs, to.userId],
  ];
  if (coins === to.coins)
    return [first, ["coins = ? AND reached_ms > ? AND reached_ms < ?", [coins, reachedMs, to.reachedMs]], last];
  return [
    first,
    ["coins = ? AND reached_ms > ?", [coins, reachedMs]],
    ["coins < ? AND coins > ?", [coins, to.coins]],
    ["coins = ? AND reached_ms < ?", [to.coins, to.reachedMs]],
    last,
  ];
}

interface TotalRow extends Row {
  kind: number;
  period: number;
  scope: string;
}

/**
 * A page of all sums of a generation by key, after `after`; of some users, see `partOf`. Four
 * ranges of the key follow each other, since the server seeks none for a comparison of several columns.
 */
export async function totalsAfter(
  db: Queryable,
  generation: number,
  after: Total | undefined,
  { part, parts }: { part: number; parts: number },
  rows: number,
): Promise<{ totals: Total[]; last: Total | undefined }> {
  const { kind = 0, period = 0, scope = "0", userId = "0" } = after ?? {};
  const ranges: [string, unknown[]][] = [
    ["kind = ? AND period = ? AND scope = ? AND user_id > ?", [kind, period, scope, userId]],
    ["kind = ? AND period = ? AND scope > ?", [kind, period, scope]],
    ["kind = ? AND period > ?", [kind, period]],
    ["kind > ?", [kind]],
  ];
  const totals: Total[] = [];
  for (const [where, values] of ranges) {
    if (totals.length === rows) break;
    const found = await db.query<TotalRow>(
      `SELECT kind, period, scope, user_id, coins, reached_ms FROM t_rank_total WHERE generation = ? AND ${where}
       ORDER BY kind, period, scope, user_id LIMIT ?`,
      [generation, ...values, rows - totals.length],
    );
    for (const row of found)
      totals.push({ kind: Number(row.kind), period: Number(row.period), scope: String(row.scope), ...toSum(row) });
  }
  return {
    totals: parts === 1 ? totals : totals.filter((total) => partOf(total.userId, parts) === part),
    last: totals.length < rows ? undefined : totals.at(-1),
  };
}

/**
 * The part of a user where all users are cut into so many, of about equal sizes whatever the ids are. Part p of n is
 * parts p and p + n of 2n.
 */
export function partOf(userId: string, parts: number): number {
  if (parts === 1) return 0;
  // FNV-1a, and two steps that mix its bits: ids of one maker have low bits that are nearly always the same.
  let hash = 0x811c9dc5;
  for (let at = 0; at < userId.length; at++) hash = Math.imul(hash ^ userId.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return ((hash ^ (hash >>> 16)) >>> 0) % parts;
}

/** The number of sums as the server estimates it. MySQL keeps an estimate for a day. */
export async function estimatedTotals(db: Queryable): Promise<number> {
  const [row] = await db.query<{ estimate: string | null }>(
    `SELECT table_rows AS estimate FROM information_schema.tables
     WHERE table_schema = DATABASE() AND table_name = 't_rank_total'`,
  );
  return Number(row?.estimate ?? 0);
}

/** Removes sums of boards of a kind whose period ended before `oldest`; returns whether there are more. */
export async function removeOldPeriods(
  db: Queryable,
  generation: number,
  kind: number,
  oldest: number,
): Promise<boolean> {
  const { removedRows } = limits.rank;
  const { affectedRows } = await db.run(
    "DELETE FROM t_rank_total WHERE generation = ? AND kind = ? AND period < ? LIMIT ?",
    [generation, kind, oldest, removedRows],
  );
  return affectedRows === removedRows;
}

/** Removes sums of a board; returns whether there are more. */
export async function removeBoard(db: Queryable, generation: number, of: Board): Promise<boolean> {
  const { removedRows } = limits.rank;
  const { affectedRows } = await db.run(`DELETE FROM t_rank_total WHERE ${board} LIMIT ?`, [
    ...keyOf(generation, of),
    removedRows,
  ]);
  return affectedRows === removedRows;
}

/** Removes sums of earlier generations; returns whether there are more. */
export async function removeOldTotals(db: Queryable, generation: number): Promise<boolean> {
  const { removedRows } = limits.rank;
  const { affectedRows } = await db.run("DELETE FROM t_rank_total WHERE generation < ? LIMIT ?", [
    generation,
    removedRows,
  ]);
  return affectedRows === removedRows;
}
