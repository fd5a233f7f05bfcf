import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";
import type { Guest } from "./room-store.ts";

/** Reads of the guests of live rooms. */

/** The battles by which these users are guests of live rooms. */
export async function guestsAmong(db: Queryable, userIds: readonly string[]): Promise<Guest[]> {
  const sql = "SELECT id, guest_id, battle_id FROM t_living_room WHERE guest_id IN (?)";
  return (await db.query<GuestRow>(sql, [userIds])).map(guestOf);
}

/** The guests of these anchors' live rooms. */
export async function guestsOfAnchors(db: Queryable, anchorIds: readonly string[]): Promise<Guest[]> {
  const sql = "SELECT id, guest_id, battle_id FROM t_living_room WHERE anchor_id IN (?) AND guest_id IS NOT NULL";
  return (await db.query<GuestRow>(sql, [anchorIds])).map(guestOf);
}

interface GuestRow {
  readonly id: string | number;
  readonly guest_id: string | number;
  readonly battle_id: string | number;
}

const guestOf = ({ id, guest_id, battle_id }: GuestRow): Guest => ({
  roomId: toSafeInteger(id),
  guestId: String(guest_id),
  battleId: String(battle_id),
});
