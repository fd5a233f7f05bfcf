import {
  type Database,
  isDuplicateKey,
  type Queryable,
  type Transaction,
  toSafeInteger,
} from "../../mixins/mysql/database.ts";
import type { BattleKind } from "./battle.contract.ts";
import { type CountedGift, type CountingBattle, compareIds, sumsOf } from "./score.ts";

/** SQL of live scores, of what battles count, and of the gifts that results leave out. */

/** Notes that the set of battles that count gifts has changed. Every node reads it before it counts a gift. */
export async function bumpRevision(tx: Transaction): Promise<void> {
  await tx.run("UPDATE t_battle_revision SET revision = revision + 1 WHERE id = 1");
}

export async function currentRevision(db: Queryable): Promise<string> {
  const [row] = await db.query<{ revision: string }>("SELECT revision FROM t_battle_revision WHERE id = 1");
  return row?.revision ?? "";
}

interface CountingRow {
  id: string;
  kind: BattleKind;
  duration_s: number;
  start_time: Date | null;
  planned_end: Date | null;
  end_time: Date | null;
  room_id: string;
  user_id: string;
}

/** The battles that count gifts: those that are accepted and have no result. */
export async function countingBattles(db: Queryable): Promise<CountingBattle[]> {
  const rows = await db.query<CountingRow>(
    `SELECT b.id, b.kind, b.duration_s, b.start_time, b.planned_end, b.end_time, s.room_id, s.user_id
     FROM t_battle b JOIN t_battle_side s ON s.battle_id = b.id
     WHERE b.work = 1 AND (b.state IN ('running', 'settling') OR (b.state = 'invited' AND b.starting_time IS NOT NULL))
     ORDER BY b.id, s.side`,
  );
  return [...Map.groupBy(rows, ({ id }) => id)].map(([battleId, sides]) => {
    const [{ duration_s, start_time, planned_end, end_time }] = sides as [CountingRow];
    return {
      battleId,
      durationMs: duration_s * 1_000,
      start: start_time?.getTime() ?? null,
      end: (end_time ?? planned_end)?.getTime() ?? null,
      sides: sides.map(({ room_id, user_id }) => ({ roomId: toSafeInteger(room_id), userId: user_id })),
    };
  });
}

const inOrder = (a: CountedGift, b: CountedGift) =>
  compareIds(a.battleId, b.battleId) || compareIds(a.recordId, b.recordId);

/** A row as SQL. It is written here, since the driver takes longer for its values than all else of a gift. */
function rowText({ battleId, recordId }: CountedGift): string {
  if (!/^\d{1,20}$/.test(battleId) || !/^\d{1,20}$/.test(recordId))
    throw new TypeError("a battle or a gift record of a live score is no id");
  return `(${battleId},${recordId})`;
}

async function addGifts(tx: Transaction, gifts: readonly CountedGift[]): Promise<void> {
  if (gifts.length === 0) return;
  await tx.run(`INSERT INTO t_battle_gift (battle_id, record_id) VALUES ${gifts.map(rowText).join(",")}`);
  await tx.run(
    `INSERT INTO t_battle_score (battle_id, side, score, gifts) VALUES ?
     ON DUPLICATE KEY UPDATE score = score + VALUES(score), gifts = gifts + VALUES(gifts)`,
    [sumsOf(gifts).map(({ battleId, side, coins, gifts: added }) => [battleId, side, coins, added])],
  );
}

/**
 * Adds gifts to the live scores, each once, however often they come and on whichever nodes: a gift's row and the sums
 * are one transaction. Durable when it returns.
 */
export async function countGifts(mysql: Database, given: readonly CountedGift[]): Promise<void> {
  const gifts = [...given].sort(inOrder);
  try {
    await mysql.transaction((tx) => addGifts(tx, gifts));
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    await mysql.transaction((tx) => addNewOf(tx, gifts));
  }
}

/** Some of the gifts are counted already. Their battles are locked, so that no other node counts them meanwhile. */
async function addNewOf(tx: Transaction, gifts: readonly CountedGift[]): Promise<void> {
  const keyOf = ({ battleId, recordId }: Pick<CountedGift, "battleId" | "recordId">) => `${battleId}:${recordId}`;
  const known = new Set<string>();
  for (const [battleId, own] of Map.groupBy(gifts, (gift) => gift.battleId)) {
    await tx.run(
      "INSERT INTO t_battle_score (battle_id, side, score, gifts) VALUES (?, 0, 0, 0) ON DUPLICATE KEY UPDATE score = score",
      [battleId],
    );
    const rows = await tx.query<{ record_id: string }>(
      "SELECT record_id FROM t_battle_gift WHERE battle_id = ? AND record_id IN (?) LOCK IN SHARE MODE",
      [battleId, own.map(({ recordId }) => recordId)],
    );
    for (const { record_id } of rows) known.add(keyOf({ battleId, recordId: record_id }));
  }
  const unseen = new Map(gifts.filter((gift) => !known.has(keyOf(gift))).map((gift) => [keyOf(gift), gift]));
  await addGifts(tx, [...unseen.values()]);
}

/** The live scores by battle: each side's, 0 where nothing is counted. */
export async function liveScores(
  db: Queryable,
  battleIds: readonly string[],
): Promise<Map<string, [LiveScore, LiveScore]>> {
  const scores = new Map<string, [LiveScore, LiveScore]>(battleIds.map((id) => [id, [nothing, nothing]]));
  if (battleIds.length === 0) return scores;
  const rows = await db.query<{ battle_id: string; side: number; score: string; gifts: string }>(
    "SELECT battle_id, side, score, gifts FROM t_battle_score WHERE battle_id IN (?)",
    [battleIds],
  );
  for (const { battle_id, side, score, gifts } of rows) {
    const pair = scores.get(battle_id);
    if (pair) pair[side as 0 | 1] = { score: toSafeInteger(score), gifts: toSafeInteger(gifts) };
  }
  return scores;
}

export interface LiveScore {
  readonly score: number;
  readonly gifts: number;
}

const nothing: LiveScore = { score: 0, gifts: 0 };

/** Deletes up to `limit` rows of the live score of a battle that has its result; `true` where there may be more. */
export async function purgeLiveScore(db: Queryable, battleId: string, limit: number): Promise<boolean> {
  const { affectedRows } = await db.run("DELETE FROM t_battle_gift WHERE battle_id = ? LIMIT ?", [battleId, limit]);
  if (affectedRows === limit) return true;
  await db.run("DELETE FROM t_battle_score WHERE battle_id = ?", [battleId]);
  return false;
}

/** Keeps a dead letter that may belong to a battle; a repeat changes nothing. */
export async function addDeadGift(
  tx: Transaction,
  { battleId, orderId, time }: { battleId: string; orderId: string; time: Date },
): Promise<void> {
  await tx.run(
    `INSERT INTO t_battle_excluded (battle_id, order_id, gift_time) VALUES (?, ?, ?)
     ON DUPLICATE KEY UPDATE gift_time = gift_time`,
    [battleId, orderId, time],
  );
}

/** The dead letters of a battle with times from `from` until before `until`, in the order of their ids. */
export async function deadGiftsOf(db: Queryable, battleId: string, from: number, until: number): Promise<string[]> {
  const rows = await db.query<{ order_id: string }>(
    `SELECT order_id FROM t_battle_excluded
     WHERE battle_id = ? AND gift_time >= ? AND gift_time < ? ORDER BY order_id`,
    [battleId, new Date(from), new Date(until)],
  );
  return rows.map(({ order_id }) => order_id);
}

/** The result of a battle leaves these orders out. */
export async function exclude(tx: Transaction, battleId: string, orderIds: readonly string[]): Promise<void> {
  if (orderIds.length === 0) return;
  await tx.run("UPDATE t_battle_excluded SET excluded = 1 WHERE battle_id = ? AND order_id IN (?)", [
    battleId,
    orderIds,
  ]);
}

/** The orders that results leave out, by battle; of each in the order of their ids. */
export async function excludedOf(db: Queryable, battleIds: readonly string[]): Promise<Map<string, string[]>> {
  if (battleIds.length === 0) return new Map();
  const rows = await db.query<{ battle_id: string; order_id: string }>(
    "SELECT battle_id, order_id FROM t_battle_excluded WHERE battle_id IN (?) AND excluded = 1 ORDER BY battle_id, order_id",
    [battleIds],
  );
  const grouped = Map.groupBy(rows, ({ battle_id }) => battle_id);
  return new Map([...grouped].map(([id, own]) => [id, own.map(({ order_id }) => order_id)]));
}

/** The accepted battles that may start or have started, with or without a result, in which this user receives gifts in this room at a time. */
export async function battlesAt(
  db: Queryable,
  { roomId, receiverId, time }: { roomId: number; receiverId: string; time: Date },
): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT b.id FROM t_battle_side s JOIN t_battle b ON b.id = s.battle_id
     WHERE s.room_id = ? AND s.user_id = ? AND b.starting_time IS NOT NULL
       AND b.state NOT IN ('declined', 'cancelled', 'expired')
       AND (b.start_time IS NULL OR (b.start_time <= ? AND COALESCE(b.end_time, b.planned_end) > ?))
     ORDER BY b.id`,
    [roomId, receiverId, time, time],
  );
  return rows.map(({ id }) => id);
}

/** Deletes the exclusions of these battles. */
export async function deleteExclusions(tx: Transaction, battleIds: readonly string[]): Promise<void> {
  await tx.run("DELETE FROM t_battle_excluded WHERE battle_id IN (?)", [battleIds]);
}
