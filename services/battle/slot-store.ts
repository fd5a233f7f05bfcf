import { type Queryable, type Transaction, toSafeInteger } from "../../mixins/mysql/database.ts";
import { compareIds } from "./score.ts";

/** SQL of the slots: who takes part in an open battle. The primary key decides between simultaneous invitations. */

const slotKinds = { room: 0, user: 1 } as const;

interface Member {
  readonly roomId: number;
  readonly userId: string;
}

const sorted = (ids: readonly string[]) => [...new Set(ids)].sort(compareIds);
const roomsOf = (sides: readonly Member[]) => sorted(sides.map(({ roomId }) => String(roomId)));
const usersOf = (sides: readonly Member[]) => sorted(sides.map(({ userId }) => userId));

/**
 * Takes the slots of the rooms and users of a battle, in one order everywhere. Rejects with a duplicate key where one of
 * them is taken.
 */
export async function takeSlots(tx: Transaction, battleId: string, sides: readonly Member[]): Promise<void> {
  const rows = [
    ...roomsOf(sides).map((room) => [slotKinds.room, room, battleId]),
    ...usersOf(sides).map((user) => [slotKinds.user, user, battleId]),
  ];
  await tx.run("INSERT INTO t_battle_slot (kind, holder, battle_id) VALUES ?", [rows]);
}

export async function freeSlots(tx: Transaction, battleId: string): Promise<void> {
  await tx.run("DELETE FROM t_battle_slot WHERE battle_id = ?", [battleId]);
}

/** The ids of the open battles of these rooms and users. */
export async function openBattleIds(db: Queryable, sides: readonly Member[]): Promise<string[]> {
  const rows = await db.query<{ battle_id: string }>(
    `SELECT DISTINCT battle_id FROM t_battle_slot
     WHERE (kind = ? AND holder IN (?)) OR (kind = ? AND holder IN (?)) ORDER BY battle_id`,
    [slotKinds.room, roomsOf(sides), slotKinds.user, usersOf(sides)],
  );
  return rows.map(({ battle_id }) => battle_id);
}

/** The ids of the open battles of rooms. */
export async function openBattleIdsOfRooms(
  db: Queryable,
  roomIds: readonly number[],
): Promise<{ roomId: number; battleId: string }[]> {
  const rows = await db.query<{ battle_id: string; holder: string }>(
    "SELECT holder, battle_id FROM t_battle_slot WHERE kind = ? AND holder IN (?)",
    [slotKinds.room, roomIds],
  );
  return rows.map(({ holder, battle_id }) => ({ roomId: toSafeInteger(holder), battleId: battle_id }));
}

/** The ids of the open battles of a user. */
export async function openBattleIdsOfUser(db: Queryable, userId: string): Promise<string[]> {
  const rows = await db.query<{ battle_id: string }>(
    "SELECT battle_id FROM t_battle_slot WHERE kind = ? AND holder = ?",
    [slotKinds.user, userId],
  );
  return rows.map(({ battle_id }) => battle_id);
}
