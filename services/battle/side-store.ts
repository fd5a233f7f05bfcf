import { type Queryable, type Transaction, toSafeInteger } from "../../mixins/mysql/database.ts";

/** SQL of the sides of battles: who was away, and the result. */

export async function insertSides(
  tx: Transaction,
  battleId: string,
  sides: readonly { roomId: number; userId: string }[],
): Promise<void> {
  const rows = sides.map(({ roomId, userId }, side) => [battleId, side, roomId, userId]);
  await tx.run("INSERT INTO t_battle_side (battle_id, side, room_id, user_id) VALUES ?", [rows]);
}

/** A side of a battle, by its place. */
export interface Place {
  readonly battleId: string;
  readonly side: number;
}

const places = (list: readonly Place[]) => list.map(() => "(battle_id = ? AND side = ?)").join(" OR ");
const placeValues = (list: readonly Place[]) => list.flatMap(({ battleId, side }) => [battleId, side]);

/** They are in their rooms: an absence ends. */
export async function markHere(tx: Transaction, list: readonly Place[]): Promise<void> {
  if (list.length === 0) return;
  await tx.run(
    `UPDATE t_battle_side SET seen = 1, away_since = NULL WHERE gone = 0 AND (${places(list)})`,
    placeValues(list),
  );
}

/** They are not in their rooms: the absence counts from now on, where it does not already. */
export async function markAway(tx: Transaction, list: readonly Place[]): Promise<void> {
  if (list.length === 0) return;
  await tx.run(
    `UPDATE t_battle_side SET away_since = UTC_TIMESTAMP(3) WHERE away_since IS NULL AND (${places(list)})`,
    placeValues(list),
  );
}

/** They cannot come back: their absence counts from now on, where it does not already, and does not end. */
export async function markGone(db: Queryable, list: readonly Place[]): Promise<void> {
  if (list.length === 0) return;
  await db.run(
    `UPDATE t_battle_side SET gone = 1, away_since = COALESCE(away_since, UTC_TIMESTAMP(3))
     WHERE gone = 0 AND (${places(list)})`,
    placeValues(list),
  );
}

/** Absences that were counted while presence may have been unknown are discarded. */
export async function forgetAbsences(tx: Transaction, list: readonly Place[]): Promise<void> {
  if (list.length === 0) return;
  await tx.run(`UPDATE t_battle_side SET away_since = NULL WHERE gone = 0 AND (${places(list)})`, placeValues(list));
}

/** Of these sides, those who have been away for `awayMs` lose the battle by it. Returns how many do. */
export async function markDeserted(
  tx: Transaction,
  battleId: string,
  sides: readonly number[],
  awayMs: number,
): Promise<number> {
  if (sides.length === 0) return 0;
  const { affectedRows } = await tx.run(
    `UPDATE t_battle_side SET deserted = 1
     WHERE battle_id = ? AND side IN (?) AND away_since <= UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND`,
    [battleId, sides, awayMs * 1_000],
  );
  return affectedRows;
}

/** The result of a side. */
export interface SideResult {
  readonly score: number;
  readonly gifts: number;
  readonly topSenders: readonly { userId: string; coins: number }[];
}

export async function writeResults(tx: Transaction, battleId: string, results: readonly SideResult[]): Promise<void> {
  for (const [side, { score, gifts, topSenders }] of results.entries())
    await tx.run("UPDATE t_battle_side SET score = ?, gifts = ?, top_senders = ? WHERE battle_id = ? AND side = ?", [
      score,
      gifts,
      JSON.stringify(topSenders),
      battleId,
      side,
    ]);
}

/** The stored results by battle, in the order of the sides; battles without a result are left out. */
export async function resultsOf(db: Queryable, battleIds: readonly string[]): Promise<Map<string, SideResult[]>> {
  if (battleIds.length === 0) return new Map();
  const rows = await db.query<{ battle_id: string; score: string; gifts: string; top_senders: string }>(
    `SELECT battle_id, score, gifts, top_senders FROM t_battle_side
     WHERE battle_id IN (?) AND score IS NOT NULL ORDER BY battle_id, side`,
    [battleIds],
  );
  return new Map(
    [...Map.groupBy(rows, ({ battle_id }) => battle_id)].map(([id, sides]) => [
      id,
      sides.map(({ score, gifts, top_senders }) => ({
        score: toSafeInteger(score),
        gifts: toSafeInteger(gifts),
        topSenders: JSON.parse(top_senders),
      })),
    ]),
  );
}

/** Deletes the sides of these battles. */
export async function deleteSides(tx: Transaction, battleIds: readonly string[]): Promise<void> {
  await tx.run("DELETE FROM t_battle_side WHERE battle_id IN (?)", [battleIds]);
}
