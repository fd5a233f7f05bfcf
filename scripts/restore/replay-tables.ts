import { databaseName } from "../../config/config.ts";
import { Database, isDuplicateKey, type Queryable } from "../../mixins/mysql/database.ts";
import { archivedRecords } from "../../services/archived-tables.ts";
import { contentHashOf } from "../../services/gift/accepted-gift.ts";
import { firstNickName } from "../../services/user/user-id.ts";
import { serverOfId } from "../../services/wallet-servers.ts";
import type {
  ClosedRoom,
  Note,
  OpenedRoom,
  ReplayedLift,
  ReplayedRecord,
  ReplayedRestriction,
  ReplayedUser,
} from "./replay-plan.ts";

/**
 * The rows of a replay outside of the ledger. What is there stays as it is, so everything may be written again. The
 * services are stopped: nobody else writes.
 */

const asBytes = (text: string | undefined) => (text === undefined ? null : Buffer.from(text, "utf8"));
const room = (roomId: number, detail: string): Note => ({ kind: "room", subject: String(roomId), detail });

interface RoomState {
  opened?: OpenedRoom;
  closed?: ClosedRoom;
}

/** A further server of ledgers and gift records. */
export interface ReplayServer {
  readonly name: string;
  readonly number: number;
  readonly url: string;
}

/** The databases of a replay, and what it counts. */
export class ReplayTables {
  private readonly databases = new Map<string, Database>();
  private readonly mysqlUrl: string;
  private readonly further: readonly ReplayServer[];
  /** What became of rooms, until `writeRooms`. */
  private readonly rooms = new Map<number, RoomState>();

  constructor(mysqlUrl: string, further: readonly ReplayServer[] = []) {
    this.mysqlUrl = mysqlUrl;
    this.further = further;
  }

  /** On the home server, or on a further one. */
  on(service: string, server?: ReplayServer): Database {
    const key = `${service} ${server?.name ?? ""}`;
    const known = this.databases.get(key);
    if (known) return known;
    const database = new Database(databaseName(service), { url: server?.url ?? this.mysqlUrl, connections: 2 });
    this.databases.set(key, database);
    return database;
  }

  /** On all servers of ledgers, the home server first. */
  onEach(service: string): Database[] {
    return [undefined, ...this.further].map((server) => this.on(service, server));
  }

  async close(): Promise<void> {
    await Promise.all([...this.databases.values()].map((database) => database.close()));
  }

  /**
   * Writes the records that are missing, each on the server of its charge and under the id of its event: scores and ranks
   * know gifts by it. An id that another server gave, since a bucket moved after the backup, is not used: it says where a
   * row is. Returns how many it wrote.
   */
  async writeRecords(records: readonly (ReplayedRecord & { readonly server?: string | undefined })[]): Promise<number> {
    if (records.length === 0) return 0;
    const byOrder = new Map(records.map((record) => [record.gift.orderId, record]));
    const ids = [...byOrder.values()].flatMap(({ gift }) => (gift.recordId === undefined ? [] : [gift.recordId]));
    const there = await Promise.all(this.onEach("gift").map((db) => recordsThere(db, [...byOrder.keys()], ids)));
    const taken = new Set(there.flat().map(({ id }) => String(id)));
    for (const { order_id } of there.flat()) byOrder.delete(order_id);
    const missing = [...byOrder.values()];
    for (const [name, own] of Map.groupBy(missing, ({ server }) => server)) {
      const server = this.further.find((one) => one.name === name);
      const number = server?.number ?? 0;
      // Of two gifts with one id, which nobody but a forger publishes, the first has it.
      const withId = own.filter(({ gift: { recordId } }) => {
        if (recordId === undefined || taken.has(recordId) || serverOfId(recordId) !== number) return false;
        taken.add(recordId);
        return true;
      });
      const db = this.on("gift", server);
      await insertRecords(db, withId, true);
      await insertRecords(
        db,
        own.filter((record) => !withId.includes(record)),
        false,
      );
    }
    return missing.length;
  }

  /** Registers a user under the same id. Of a phone nothing is known. Returns whether the user was missing. */
  async writeUser({ userId, externalId, time }: ReplayedUser): Promise<{ written: boolean; note?: Note }> {
    const db = this.on("user");
    const [there] = await db.query("SELECT user_id FROM t_user WHERE user_id = ?", [userId]);
    if (there) return { written: false };
    try {
      await db.transaction(async (tx) => {
        if (externalId !== undefined)
          await tx.run("INSERT INTO t_user_external (external_id, user_id, create_time) VALUES (?, ?, ?)", [
            ...[asBytes(externalId), userId, time],
          ]);
        await tx.run(
          "INSERT INTO t_user (user_id, nick_name, avatar, create_time, update_time) VALUES (?, ?, '', ?, ?)",
          [userId, firstNickName(userId), time, time],
        );
      });
      return { written: true };
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      const detail = `external id ${externalId} belongs to another user`;
      return { written: false, note: { kind: "unreadable", subject: `user ${userId}`, detail } };
    }
  }

  /** Places a restriction under the same id. Returns whether it was missing. */
  async writeRestriction(placed: ReplayedRestriction): Promise<boolean> {
    const { restrictionId, userId, kind, roomId, until, reason, by, time } = placed;
    const { affectedRows } = await this.on("user").run(
      `INSERT INTO t_restriction (id, user_id, kind, room_id, until_time, reason, placed_by, create_time)
       SELECT ?, ?, ?, ?, ?, ?, ?, ? FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM t_restriction WHERE id = ?)`,
      [
        ...[restrictionId, userId, kind === "ban" ? 2 : 1, roomId ?? 0],
        ...[until === null ? "9999-12-31" : new Date(until), reason, by, new Date(time), restrictionId],
      ],
    );
    return affectedRows > 0;
  }

  async writeLift({ restrictionId, reason, by, time }: ReplayedLift): Promise<boolean> {
    const { affectedRows } = await this.on("user").run(
      `INSERT INTO t_restriction_lift (restriction_id, reason, lifted_by, create_time)
       SELECT ?, ?, ?, ? FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM t_restriction_lift WHERE restriction_id = ?)`,
      [restrictionId, reason, by, new Date(time), restrictionId],
    );
    return affectedRows > 0;
  }

  /** Notes what became of a room; `writeRooms` writes how it ended. */
  noteRoom(roomId: number, { opened, closed }: RoomState): void {
    const state = this.rooms.get(roomId) ?? {};
    this.rooms.set(roomId, { ...state, ...(opened && { opened }), ...(closed && { closed }) });
  }

  /** In the order of ids, closed rooms first: the anchor of a live room may have closed an earlier one. */
  async writeRooms(): Promise<{ written: number; notes: Note[] }> {
    const db = this.on("living-room");
    let written = 0;
    const notes: Note[] = [];
    const ordered = [...this.rooms].sort(
      ([a, one], [b, other]) => Number(one.closed === undefined) - Number(other.closed === undefined) || a - b,
    );
    for (const [roomId, state] of ordered) {
      const outcome = state.closed
        ? await closeRoom(db, roomId, state.closed, state.opened)
        : await openRoom(db, roomId, state.opened as OpenedRoom);
      if (outcome === true) written++;
      else if (outcome !== false) notes.push(outcome);
    }
    return { written, notes };
  }
}

/** Which records of these orders, or with these ids, are there: in the hot table or archived. */
function recordsThere(db: Queryable, orders: readonly string[], ids: readonly string[]) {
  const { table, archive } = archivedRecords;
  const selects = [table, archive].flatMap((from) =>
    (ids.length > 0 ? ["order_id", "id"] : ["order_id"]).map(
      (column) => `SELECT order_id, id FROM ${from} WHERE ${column} IN (?)`,
    ),
  );
  const values = ids.length > 0 ? [orders, ids] : [orders];
  return db.query<{ order_id: string; id: string }>(selects.join(" UNION "), [...values, ...values]);
}

async function insertRecords(db: Queryable, records: readonly ReplayedRecord[], withId: boolean): Promise<void> {
  if (records.length === 0) return;
  await db.run(
    `INSERT INTO t_gift_record (${withId ? "id, " : ""}order_id, user_id, object_id, room_id, gift_id, count, price, status,
       reason, income_points, content_hash, send_time, update_time, json) VALUES ?`,
    [
      records.map(({ gift, settled }) => {
        const { orderId, senderId, receiverId, roomId, giftId, count, price, type } = gift;
        const values = [
          ...[orderId, senderId, receiverId, roomId, giftId, count, price, gift.status === "succeeded" ? 1 : 0],
          gift.status === "succeeded" ? null : (gift.reason ?? "giftNotSent"),
          ...[
            gift.incomePoints,
            contentHashOf({ giftId, roomId, receiverId, type, count }),
            new Date(gift.time),
            settled,
          ],
          type === 0 ? null : JSON.stringify({ type }),
        ];
        return withId ? [gift.recordId, ...values] : values;
      }),
    ],
  );
}

type RoomOutcome = boolean | Note;

const liveColumns = "anchor_id, type, room_name, external_id, covert_img, watch_num, good_num, start_time";

async function closeRoom(db: Database, roomId: number, closed: ClosedRoom, opened?: OpenedRoom): Promise<RoomOutcome> {
  const { anchorId, externalRoomId, closedBy, reason, time } = closed;
  const [record] = await db.query("SELECT id FROM t_living_room_record WHERE id = ?", [roomId]);
  if (record) return false;
  return db.transaction(async (tx) => {
    const [live] = await tx.query("SELECT id FROM t_living_room WHERE id = ? FOR UPDATE", [roomId]);
    const end = [time, time, closedBy, reason];
    if (live) {
      await tx.run(
        `INSERT INTO t_living_room_record (id, ${liveColumns}, status, end_time, update_time, closed_by, close_reason)
         SELECT id, ${liveColumns}, 0, ?, ?, ?, ? FROM t_living_room WHERE id = ?`,
        [...end, roomId],
      );
      await tx.run("DELETE FROM t_living_room WHERE id = ?", [roomId]);
      return true;
    }
    if (!opened)
      return room(roomId, `closed ${time.toISOString()}, anchor ${anchorId}: when it was opened is not known`);
    await tx.run(
      `INSERT INTO t_living_room_record (id, ${liveColumns}, status, end_time, update_time, closed_by, close_reason)
       VALUES (?, ?, ?, ?, ?, '', 0, 0, ?, 0, ?, ?, ?, ?)`,
      [roomId, anchorId, opened.type, opened.roomName, asBytes(externalRoomId), opened.time, ...end],
    );
    return true;
  });
}

async function openRoom(db: Database, roomId: number, opened: OpenedRoom): Promise<RoomOutcome> {
  const { anchorId, type, roomName, externalRoomId, time } = opened;
  const there = await db.query(
    "SELECT id FROM t_living_room WHERE id = ? UNION SELECT id FROM t_living_room_record WHERE id = ?",
    [roomId, roomId],
  );
  if (there.length > 0) return false;
  try {
    await db.run(
      `INSERT INTO t_living_room (id, anchor_id, type, status, room_name, external_id, covert_img, start_time, update_time)
       VALUES (?, ?, ?, 1, ?, ?, '', ?, ?)`,
      [roomId, anchorId, type, roomName, asBytes(externalRoomId), time, time],
    );
    return true;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return room(roomId, `opened ${time.toISOString()}: anchor ${anchorId}, or its external id, has another live room`);
  }
}
