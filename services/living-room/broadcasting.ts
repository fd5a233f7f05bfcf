import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { type Database, isDuplicateKey, type Transaction } from "../../mixins/mysql/database.ts";
import type { DatabaseLease } from "../../mixins/mysql/database-lease.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import type { DurableEvents } from "../contracts.ts";
import { type Books, durableEvent } from "../durable-event.ts";
import type { ClosedRoom, LiveRoom } from "./living-room.contract.ts";
import { anchorOfJustClosed, closedRoomByExternalId, closedRoomById, roomsClosedSince } from "./record-store.ts";
import {
  insertRoom,
  lockDesertedRoom,
  lockExternalRoom,
  lockRoom,
  moveToRecords,
  roomByAnchor,
  roomsByExternalIds,
  setExternalId,
} from "./room-store.ts";
import type { ClosedBy } from "./staff.contract.ts";
import { insertWrite, outcomeOfWrite } from "./write-store.ts";

/**
 * The states of a live room:
 *
 *   none    the anchor has no live room -> live    `openRoom`
 *   live    a row of t_living_room      -> closed  `closeRoom`, `closeForPlatform`, `closeForStaff`, `closeDesertedRoom`
 *   closed  a row of t_living_room_record, for ever; the anchor's next start opens a room with a new id
 *
 * Each move and its event (`room.opened`, `room.closed`) are one transaction.
 */
type Resources = { mysql: Database } & OutboxState;

const attempts = 5;

/** The room to open. */
interface Wanted {
  anchorId: string;
  type: number;
  /** Called only where a room is opened. */
  name: () => Promise<string>;
  /** The platform's own id of the room. */
  externalRoomId?: string | undefined;
  /** The write of the platform that opens it. */
  writeId?: string | undefined;
  requestId: string | null;
}

/**
 * The anchor's live room, opened where there is none; room and event are durable when it returns. The unique key on the
 * anchor decides: parallel starts, on any nodes, all get the same room. A live room without an id of the platform gets
 * the wanted one. Fails: anchorElsewhere, where it has another one; externalRoomTaken, where another anchor's live room
 * has the wanted one. A repeat of a `writeId` that succeeded gets the room and `opened` of its first run, also where the
 * room is closed. `changed`: other nodes may have the room as it was.
 */
export async function openRoom(
  { mysql, outbox }: Resources,
  wanted: Wanted,
): Promise<{ room: LiveRoom; opened: boolean; changed: boolean }> {
  const { anchorId, type, externalRoomId, writeId, requestId } = wanted;
  const named = externalRoomId === undefined ? {} : { externalRoomId };
  const note = async (tx: Transaction, { roomId }: LiveRoom, changed: boolean) => {
    if (writeId !== undefined) await insertWrite(tx, { writeId, roomId, changed });
  };
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const first = writeId === undefined ? undefined : await outcomeOfWrite(mysql, writeId);
    if (first) return { room: first.room, opened: first.changed, changed: true };
    const live = await roomByAnchor(mysql, anchorId);
    try {
      if (live && (externalRoomId === undefined || live.externalRoomId === externalRoomId)) {
        if (writeId !== undefined) await mysql.transaction((tx) => note(tx, live, false));
        return { room: live, opened: false, changed: false };
      }
      if (externalRoomId !== undefined) await requireFree(mysql, { anchorId, externalRoomId, live });
      if (live) {
        const gotId = await mysql.transaction(async (tx) => {
          if (!(await setExternalId(tx, live.roomId, externalRoomId as string))) return false;
          await note(tx, live, false);
          return true;
        });
        if (!gotId) continue;
        return { room: { ...live, ...named }, opened: false, changed: true };
      }
      const roomName = await wanted.name();
      const room = await mysql.transaction(async (tx) => {
        const inserted = await insertRoom(tx, { anchorId, type, roomName, ...named });
        const event = { ...inserted, time: new Date().toISOString() };
        const orderKey = `room:${inserted.roomId}`;
        await outbox.add(tx, { ...durableEvent("room.opened", String(inserted.roomId), event), orderKey, requestId });
        await note(tx, inserted, true);
        return inserted;
      });
      outbox.wake();
      return { room, opened: true, changed: true };
    } catch (error) {
      // Another start, of this anchor, of this id or of this write, was first. The next attempt reads its room.
      if (!isDuplicateKey(error)) throw error;
    }
  }
  throw fail("unavailable", { what: "opening a room", anchorId, attempts });
}

/** Fails: anchorElsewhere, externalRoomTaken. */
async function requireFree(
  mysql: Database,
  { anchorId, externalRoomId, live }: { anchorId: string; externalRoomId: string; live: LiveRoom | null },
): Promise<void> {
  if (live?.externalRoomId !== undefined) throw fail("anchorElsewhere", { roomId: live.roomId });
  const [holder] = await roomsByExternalIds(mysql, [externalRoomId]);
  // The anchor's own was opened after `live` was read: the next attempt reads it.
  if (holder && holder.anchorId !== anchorId) throw fail("externalRoomTaken", { roomId: holder.roomId });
}

/** Moves a locked room to the records and writes the event that empties it on every IM node. */
async function moveToClosed(
  tx: Transaction,
  outbox: OutboxState["outbox"],
  { roomId, anchorId, externalRoomId }: LiveRoom,
  requestId: string | null,
  by?: ClosedBy,
): Promise<void> {
  await moveToRecords(tx, roomId, by);
  const about = {
    ...{ roomId, anchorId },
    ...(externalRoomId !== undefined && { externalRoomId }),
    ...(by && { closedBy: by.operator, reason: by.reason }),
  };
  const event = durableEvent("room.closed", String(roomId), { ...about, time: new Date().toISOString() });
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

/** A room by its id, or the live one by the platform's id. */
export type RoomKey = { roomId: number } | { externalRoomId: string };

/**
 * Closes a live room for the platform, whoever's it is; as durable as `closeRoom`. `closed` is false where it was closed
 * already. A repeat of a `writeId` that succeeded gets the answer of its first run, and closes no later room that the
 * platform calls the same. Fails: roomNotLive, where there never was such a room.
 */
export async function closeForPlatform(
  { mysql, outbox }: Resources,
  key: RoomKey,
  { writeId, requestId }: { writeId: string; requestId: string | null },
): Promise<ClosedRoom & { closed: boolean }> {
  for (let attempt = 1; attempt <= attempts; attempt++)
    try {
      const { room, closed } = await mysql.transaction(async (tx) => {
        const first = await outcomeOfWrite(tx, writeId);
        if (first) return { room: first.room, closed: first.changed };
        const live = await ("roomId" in key ? lockRoom(tx, key.roomId) : lockExternalRoom(tx, key.externalRoomId));
        if (live) await moveToClosed(tx, outbox, live, requestId);
        const closedRoom = live ?? (await closedRoomOf(tx, key));
        if (!closedRoom) throw fail("roomNotLive", key);
        await insertWrite(tx, { writeId, roomId: closedRoom.roomId, changed: live !== null });
        return { room: closedRoom, closed: live !== null };
      });
      if (closed) outbox.wake();
      const { roomId, anchorId, externalRoomId } = room;
      return { roomId, anchorId, ...(externalRoomId !== undefined && { externalRoomId }), closed };
    } catch (error) {
      // Another run of this write was first. The next attempt reads what it did.
      if (!isDuplicateKey(error)) throw error;
    }
  throw fail("unavailable", { what: "closing a room", writeId, attempts });
}

/**
 * Closes a live room by a decision of staff, whoever's it is; as durable as `closeRoom`. Room ids are never used again,
 * so a repeat finds the room closed: `closed` is false. Fails: roomNotLive, where there never was such a room.
 */
export async function closeForStaff(
  { mysql, outbox }: Resources,
  { roomId, requestId, ...by }: ClosedBy & { roomId: number; requestId: string | null },
): Promise<ClosedRoom & { closed: boolean }> {
  const { room, closed } = await mysql.transaction(async (tx) => {
    const live = await lockRoom(tx, roomId);
    if (live) await moveToClosed(tx, outbox, live, requestId, by);
    const closedRoom = live ?? (await closedRoomById(tx, roomId));
    if (!closedRoom) throw fail("roomNotLive", { roomId });
    return { room: closedRoom, closed: live !== null };
  });
  if (closed) outbox.wake();
  const { anchorId, externalRoomId } = room;
  return { roomId, anchorId, ...(externalRoomId !== undefined && { externalRoomId }), closed };
}

const closedRoomOf = (tx: Transaction, key: RoomKey): Promise<ClosedRoom | undefined> =>
  "roomId" in key ? closedRoomById(tx, key.roomId) : closedRoomByExternalId(tx, key.externalRoomId);

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
