import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import type { DatabaseLease } from "../../mixins/lease/database-lease.ts";
import { type Database, isDuplicateKey, type Transaction } from "../../mixins/mysql/database.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import { durableEvent } from "../durable-event.ts";
import type { LiveRoom } from "./living-room.contract.ts";
import {
  anchorOfJustClosed,
  insertRoom,
  lockDesertedRoom,
  lockRoom,
  moveToRecords,
  roomByAnchor,
} from "./room-store.ts";

type Resources = { mysql: Database } & OutboxState;

const attempts = 5;

/**
 * The anchor's live room, opened where there is none; room and event are durable together when it returns. The unique
 * anchor decides: parallel starts, on any nodes, all get the one room. `name` is asked for only where one is opened.
 */
export async function openRoom(
  { mysql, outbox }: Resources,
  anchor: { anchorId: string; type: number; name: () => Promise<string>; requestId: string | null },
): Promise<{ room: LiveRoom; opened: boolean }> {
  const { anchorId, type, requestId } = anchor;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const live = await roomByAnchor(mysql, anchorId);
    if (live) return { room: live, opened: false };
    const roomName = await anchor.name();
    try {
      const room = await mysql.transaction(async (tx) => {
        const inserted = await insertRoom(tx, { anchorId, type, roomName });
        const event = { ...inserted, time: new Date().toISOString() };
        const orderKey = `room:${inserted.roomId}`;
        await outbox.add(tx, { ...durableEvent("room.opened", String(inserted.roomId), event), orderKey, requestId });
        return inserted;
      });
      outbox.wake();
      return { room, opened: true };
    } catch (error) {
      // Another start of this anchor was first: the next look finds its room, unless it is closed again already.
      if (!isDuplicateKey(error)) throw error;
    }
  }
  throw fail("unavailable", { what: "opening a room", anchorId, attempts });
}

/** Takes a locked room out of the live ones, with the event that empties it everywhere. */
async function takeOut(
  tx: Transaction,
  outbox: OutboxState["outbox"],
  { roomId, anchorId }: LiveRoom,
  requestId: string | null,
): Promise<void> {
  await moveToRecords(tx, roomId);
  const event = durableEvent("room.closed", String(roomId), { roomId, anchorId, time: new Date().toISOString() });
  await outbox.add(tx, { ...event, orderKey: `room:${roomId}`, requestId });
}

/**
 * Closes a live room: it is among the records, and the event that empties it everywhere is durable, when this returns. A
 * repeat, on any node, changes nothing: `false` where the anchor's room was closed within `limits.room.closeTwinMs`.
 * Fails: notYourRoom, also where it is not live.
 */
export async function closeRoom(
  { mysql, outbox }: Resources,
  by: { anchorId: string; roomId: number; requestId: string | null },
): Promise<boolean> {
  const { anchorId, roomId, requestId } = by;
  const closed = await mysql.transaction(async (tx) => {
    const room = await lockRoom(tx, roomId);
    // closeTwinMs is shorter than closeEveryMs: a later close fails, since the room is not live.
    if (!room && (await anchorOfJustClosed(tx, roomId, limits.room.closeTwinMs)) === anchorId) return false;
    if (room?.anchorId !== anchorId) throw fail("notYourRoom", { roomId });
    await takeOut(tx, outbox, room, requestId);
    return true;
  });
  outbox.wake();
  return closed;
}

/**
 * Closes a room as its anchor would, if she has still been away for `anchorAwayMs` and this node holds the lease, both
 * checked in the transaction: an anchor who returns before the commit keeps the room. Returns whether it was closed.
 */
export async function closeDesertedRoom(
  { outbox }: OutboxState,
  lease: Pick<DatabaseLease, "fenced">,
  { roomId, anchorAwayMs }: { roomId: number; anchorAwayMs: number },
): Promise<boolean> {
  const closed = await lease.fenced(async (tx) => {
    const room = await lockDesertedRoom(tx, roomId, anchorAwayMs);
    if (room) await takeOut(tx, outbox, room, null);
    return room !== null;
  });
  if (closed) outbox.wake();
  return closed === true;
}
