import { limits } from "../../../config/limits.ts";
import type { Queryable, Transaction } from "../../../mixins/mysql/database.ts";
import { orderKinds, staffKey } from "./order.ts";
import { counts, type MoneyOrderState, orderStates } from "./order-state.ts";

/** SQL of what was moved by hand on accounts: by API keys and by staff, one sum under one lock. */

/** Coins, a magnitude, on an account. */
export interface AccountMove {
  readonly userId: string;
  readonly coins: number;
}

/**
 * Locks accounts until the transaction ends, against other decisions about what is moved on them, on any node. The rows
 * change with each decision, so that in a cluster of several primaries, whose nodes do not see each other's locks, one of
 * two at once fails when it commits.
 */
export async function lockAccounts(tx: Transaction, userIds: readonly string[]): Promise<void> {
  // In the order of the ids, so that no two wait for each other.
  const ordered = userIds.toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
  await tx.run(
    `INSERT INTO t_money_account (user_id, decisions) VALUES ${ordered.map(() => "(?, 1)").join(", ")}
     ON DUPLICATE KEY UPDATE decisions = decisions + 1`,
    ordered,
  );
}

const counted = (Object.keys(orderStates) as MoneyOrderState[]).filter(counts).map((state) => orderStates[state]);

/**
 * The magnitudes of what was moved by hand on these accounts in the last 24 hours, added up by account: adjustments of API
 * keys that moved coins or will, without those that a person approved, and all moves of staff that did not end without
 * moving anything. Moves of staff with the key `but` are left out: they are attempts at one move. Accounts without any are
 * not in the map. The accounts must be locked.
 */
export async function movedLately(tx: Transaction, userIds: readonly string[], but = ""): Promise<Map<string, bigint>> {
  const { fourEyesSpanMs } = limits.platform;
  const rows = await tx.query<{ user_id: string; sum: string }>(
    `SELECT user_id, CAST(SUM(coins) AS CHAR) AS sum FROM (
       SELECT o.user_id, ABS(o.amount) AS coins FROM t_money_order o JOIN t_money_state s ON s.order_id = o.id
       WHERE o.user_id IN (?) AND o.kind = ? AND o.create_time > UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND
         AND o.proposed = 0 AND o.key_id <> ? AND s.state IN (?)
       UNION ALL
       SELECT m.user_id, m.coins FROM t_money_staff_move m
       WHERE m.user_id IN (?) AND m.create_time > UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND
         AND m.move_key <> ?) moved
     GROUP BY user_id`,
    [
      ...[userIds, orderKinds.indexOf("adjust"), fourEyesSpanMs * 1_000, staffKey, counted],
      ...[userIds, fourEyesSpanMs * 1_000, but],
    ],
  );
  return new Map(rows.map(({ user_id, sum }) => [String(user_id), BigInt(sum)]));
}

/** Counts a move of staff. The accounts must be locked. */
export async function insertStaffMove(
  tx: Transaction,
  { moveId, key, moves }: { moveId: string; key: string; moves: readonly AccountMove[] },
): Promise<void> {
  await tx.run(
    `INSERT INTO t_money_staff_move (move_id, move_key, user_id, coins, create_time)
     VALUES ${moves.map(() => "(?, ?, ?, ?, UTC_TIMESTAMP(3))").join(", ")}`,
    moves.flatMap(({ userId, coins }) => [moveId, key, userId, coins]),
  );
}

/** The accounts on which a move of staff counts, or has counted within `limits.platform.staffMovesKeptMs`. */
export async function accountsOfMove(db: Queryable, moveId: string): Promise<string[]> {
  const rows = await db.query<{ user_id: string }>("SELECT user_id FROM t_money_staff_move WHERE move_id = ?", [
    moveId,
  ]);
  return rows.map(({ user_id }) => String(user_id));
}

/** Has a move count from the present on. The accounts must be locked. */
export async function renewStaffMove(tx: Transaction, moveId: string): Promise<void> {
  await tx.run("UPDATE t_money_staff_move SET create_time = UTC_TIMESTAMP(3) WHERE move_id = ?", [moveId]);
}

/** Takes a move of staff off the sums. */
export async function deleteStaffMove(tx: Transaction, moveId: string): Promise<void> {
  const rows = await tx.query("SELECT 1 FROM t_money_staff_move WHERE move_id = ? LIMIT 1", [moveId]);
  // A DELETE that finds no row would lock the gap, and make other moves wait for each other.
  if (rows.length > 0) await tx.run("DELETE FROM t_money_staff_move WHERE move_id = ?", [moveId]);
}

/** Deletes moves that count no longer and can be approved no longer; returns whether there may be more. */
export async function purgeStaffMoves(db: Queryable): Promise<boolean> {
  const { staffMovesKeptMs, purgeRows } = limits.platform;
  const { affectedRows } = await db.run(
    "DELETE FROM t_money_staff_move WHERE create_time < UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND LIMIT ?",
    [staffMovesKeptMs * 1_000, purgeRows],
  );
  return affectedRows === purgeRows;
}
