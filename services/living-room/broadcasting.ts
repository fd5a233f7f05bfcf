import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { type Database, isDuplicateKey, type Transaction } from "../../mixins/mysql/database.ts";
import type { DatabaseLease } from "../../mixins/mysql/database-lease.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import type { DurableEvents } from "../contracts.ts";
import { type Books, durableEvent } from "../durable-event.ts";
import type { LiveRoom } from "./living-room.contract.ts";
import {
  anchorOfJustClosed,
  insertRoom,
  lockDesertedRoom,
  lockRoom,
  moveToRecords,
  roomByAnchor,
  roomsClosedSince,
} from "./room-store.ts";

/**
 * The states of a live room:
 *
 *   none    the anchor has no live room -> live    `openRoom`
 *   live    a row of t_living_room      -> closed  `closeRoom`, `closeDesertedRoom`
 *   closed  a row of t_living_room_record, for ever; the anchor's next start opens a room with a new id
 *
 * Each move and its event (`room.opened`, `room.closed`) are one transaction.
 */
type Resources = { mysql: Database } & OutboxState;

const attempts = 5;

/**
 * The anchor's live room, opened where there is none; room and event are durable when it returns. The unique key on the
 * anchor decides: parallel starts, on any nodes, all get the same room. `name` is called only where a room is opened.
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
      // Another start of this anchor was first. The next attempt reads its room, unless it is closed by then.
      if (!isDuplicateKey(error)) throw error;
    }
  }
  throw fail("unavailable", { what: "opening a room", anchorId, attempts });
}

/** Moves a locked room to the records and writes the event that empties it on every IM node. */
async function moveToClosed(
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
 * Closes a live room; the record and the event that empties the room everywhere are durable when it returns. A repeat,
 * on any node, changes nothing: it returns `false` where the anchor closed the room within `limits.room.closeTwinMs`.
 * Fails: notYourRoom, also where the room is not live.
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
    await moveToClosed(tx, outbox, room, requestId);
    return true;
  });
  outbox.wake();
  return closed;
}

/**
 * Closes a room whose anchor has been absent for `anchorAwayMs`, while this node holds the lease. Both are checked in
 * the transaction: an anchor who returns before the commit keeps the room. Returns whether it was closed.
 */
export async function closeDesertedRoom(
  { outbox }: OutboxState,
  lease: Pick<DatabaseLease, "fenced">,
  { roomId, anchorAwayMs }: { roomId: number; anchorAwayMs: number },
): Promise<boolean> {
  const closed = await lease.fenced(async (tx) => {
    const room = await lockDesertedRoom(tx, roomId, anchorAwayMs);
    if (room) await moveToClosed(tx, outbox, room, null);
    return room !== null;
  });
  if (closed) outbox.wake();
  return closed === true;
}

/** The events `room.closed` since a time, from the records. */
export async function* closedSince(
  this: Service & { mysql: Database },
  { since, read }: Books,
): AsyncGenerator<DurableEvents["room.closed"]> {
  for (let after = 0; ; ) {
    const page = await read(() => roomsClosedSince(this.mysql, since, after, limits.room.closedPerPage));
    yield* page;
    const last = page.at(-1);
    if (!last) return;
    after = last.roomId;
  }
}
