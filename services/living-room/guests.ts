import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import { broadcast, call, type ParamsOf } from "../contracts.ts";
import { guestsAmong, guestsOfAnchors } from "./guest-store.ts";
import { clearGuest, lockRoom, setGuest } from "./room-store.ts";

/**
 * The guest of a live room:
 *
 *   none    -> linked  `linkGuest`
 *   linked  -> none    `unlinkGuest` of the same battle, the guest is banned everywhere, or the room closes: its row goes,
 *                      and the guest with it
 *
 * An unlinked battle is over: a `linkGuest` of it, or of one before it, that arrives afterwards is refused.
 */
type Rooms = Service & { mysql: Database };

type Link = ParamsOf<"living-room.linkGuest">;
type Unlink = ParamsOf<"living-room.unlinkGuest">;

/**
 * See `living-room.linkGuest`. A repeat broadcasts again, since the broadcast of the first call may be lost. Bans are read
 * after the link is durable: a later one finds it (`unlinkBanned`).
 */
export async function linkGuest(rooms: Rooms, { roomId, guestId, battleId }: Link): Promise<null> {
  await rooms.mysql.transaction(async (tx) => {
    const room = await lockRoom(tx, roomId);
    if (!room) throw fail("roomNotLive", { roomId });
    if (room.anchorId === guestId) throw fail("invalidParam", { field: "guestId", problem: "it is the anchor" });
    if (!(await setGuest(tx, { roomId, guestId, battleId }))) throw fail("alreadyLinked", { roomId, battleId });
  });
  const banned = await call(rooms.broker, "user.bannedAmong", { userIds: [guestId] });
  if (banned.userIds.includes(guestId)) {
    await unlinkGuest(rooms, { roomId, battleId });
    throw fail("banned", { userId: guestId, roomId });
  }
  await broadcast(rooms.broker, "living-room.changed", { roomId });
  return null;
}

/** See `living-room.unlinkGuest`. */
export async function unlinkGuest(rooms: Rooms, { roomId, battleId }: Unlink): Promise<null> {
  await clearGuest(rooms.mysql, { roomId, battleId });
  await broadcast(rooms.broker, "living-room.changed", { roomId });
  return null;
}

/** Unlinks a guest who is banned everywhere now: for each durable event `user.restricted`. Fails: unavailable. */
export async function unlinkBanned(rooms: Rooms, userId: string): Promise<void> {
  await unlinkBannedOf(rooms, await guestsAmong(rooms.mysql, [userId]));
}

/** The same for the guests of these anchors' rooms: for bans whose event was lost. At most `limits.user.bannedPerCall`. */
export async function unlinkBannedAmong(rooms: Rooms, anchorIds: readonly string[]): Promise<void> {
  await unlinkBannedOf(rooms, await guestsOfAnchors(rooms.mysql, anchorIds));
}

async function unlinkBannedOf(rooms: Rooms, guests: Awaited<ReturnType<typeof guestsAmong>>): Promise<void> {
  if (guests.length === 0) return;
  const userIds = [...new Set(guests.map(({ guestId }) => guestId))];
  const banned = new Set((await call(rooms.broker, "user.bannedAmong", { userIds })).userIds);
  for (const { roomId, guestId, battleId } of guests.filter((guest) => banned.has(guest.guestId))) {
    await unlinkGuest(rooms, { roomId, battleId });
    rooms.logger.warn({ roomId, guestId, battleId }, "a guest is banned: no gifts reach her any more");
  }
}
