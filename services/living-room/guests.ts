import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import { broadcast, type ParamsOf } from "../contracts.ts";
import { clearGuest, lockRoom, setGuest } from "./room-store.ts";

/**
 * The guest of a live room:
 *
 *   none    -> linked  `linkGuest`
 *   linked  -> none    `unlinkGuest` of the same battle, or the room closes: its row goes, and the guest with it
 *
 * An unlinked battle is over: a `linkGuest` of it, or of one before it, that arrives afterwards is refused.
 */
type Rooms = Service & { mysql: Database };

type Link = ParamsOf<"living-room.linkGuest">;
type Unlink = ParamsOf<"living-room.unlinkGuest">;

/** See `living-room.linkGuest`. A repeat broadcasts again, since the broadcast of the first call may be lost. */
export async function linkGuest(rooms: Rooms, { roomId, guestId, battleId }: Link): Promise<null> {
  await rooms.mysql.transaction(async (tx) => {
    const room = await lockRoom(tx, roomId);
    if (!room) throw fail("roomNotLive", { roomId });
    if (room.anchorId === guestId) throw fail("invalidParam", { field: "guestId", problem: "it is the anchor" });
    if (!(await setGuest(tx, { roomId, guestId, battleId }))) throw fail("alreadyLinked", { roomId, battleId });
  });
  await broadcast(rooms.broker, "living-room.changed", { roomId });
  return null;
}

/** See `living-room.unlinkGuest`. */
export async function unlinkGuest(rooms: Rooms, { roomId, battleId }: Unlink): Promise<null> {
  await clearGuest(rooms.mysql, { roomId, battleId });
  await broadcast(rooms.broker, "living-room.changed", { roomId });
  return null;
}
