import { fail } from "../../broker/failure.ts";
import { archivedByKey } from "../../mixins/archive/archived-rows.ts";
import { allIds } from "../../mixins/archive/segment-state.ts";
import { isDuplicateKey, type Queryable } from "../../mixins/mysql/database.ts";
import { archivedRecords } from "../archived-tables.ts";
import type { AcceptedGift } from "./accepted-gift.ts";
import type { RecordedGift, SettledGift } from "./gift.contract.ts";

/** The SQL that writes gift records. */

export interface SettledRecord {
  gift: AcceptedGift;
  /** JetStream's time of its message, whole ms. */
  time: Date;
  succeeded: boolean;
  reason: string | null;
  /** The receiver's share. The points are exact; `income` is the whole coins, rounded down. */
  income: number;
  incomePoints: number;
  /** The ledger knew the gift before: its record may be there, in the archive too. */
  repeated?: boolean;
}

/** What the books have of an order, also where an earlier delivery wrote it. */
export interface StoredRecord {
  readonly recordId: string;
  readonly time: Date;
}

/** The gift as in the event `gift.settled`; `time`: that of the stored record, ISO. */
export function toSettledGift(
  { gift, succeeded, reason, income, incomePoints }: SettledRecord,
  recordId: string,
  time: string,
): RecordedGift {
  const { orderId, senderId, receiverId, roomId, giftId, count, price, type, url } = gift;
  // Written out, since every gift comes here.
  const settled: SettledGift & { recordId: string } = {
    orderId,
    recordId,
    status: succeeded ? "succeeded" : "failed",
    senderId,
    receiverId,
    roomId,
    giftId,
    count,
    price,
    income,
    incomePoints,
    type,
    url,
    time,
  };
  if (!succeeded && reason !== null) settled.reason = reason;
  return settled;
}

/**
 * Writes the outcomes of gifts; durable when it resolves. An existing record stays as it is. `db` is no transaction:
 * where some of the gifts have records, the others are inserted by a second statement. Returns what the books have of
 * each gift, in their order. Fails: unavailable; then they may be written.
 *
 * The unique key does not know archived records. A gift can only have one where the ledger has its charge, so those are
 * looked for of repeated charges alone.
 */
export async function insertRecords(db: Queryable, records: readonly SettledRecord[]): Promise<StoredRecord[]> {
  const repeated = records.filter((record) => record.repeated).map(({ gift }) => gift.orderId);
  const known = repeated.length === 0 ? new Map<string, StoredRecord>() : await findAnywhere(db, repeated);
  for (let missing = records.filter(({ gift }) => !known.has(gift.orderId)); missing.length > 0; )
    try {
      const ids = await insertNew(db, missing);
      const inserted = missing.map(({ time }, at) => ({ recordId: ids[at] as string, time }));
      if (known.size === 0) return inserted;
      for (const [at, { gift }] of missing.entries()) known.set(gift.orderId, inserted[at] as StoredRecord);
      break;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      const orderIds = missing.map(({ gift }) => gift.orderId);
      const found = await findStored(db, orderIds);
      if (found.size === 0) throw error;
      for (const [orderId, stored] of found) known.set(orderId, stored);
      missing = missing.filter(({ gift }) => !known.has(gift.orderId));
    }
  return records.map(({ gift }) => known.get(gift.orderId) as StoredRecord);
}

interface StoredRow {
  order_id: string;
  id: string;
  send_time: Date;
}

const storedColumns = "order_id, id, send_time";
const toStored = (rows: readonly StoredRow[]): Map<string, StoredRecord> =>
  new Map(rows.map((row) => [row.order_id, { recordId: String(row.id), time: row.send_time }]));

/** The stored ones among the orders that are not archived. */
async function findStored(db: Queryable, orderIds: readonly string[]): Promise<Map<string, StoredRecord>> {
  return toStored(
    await db.query<StoredRow>(`SELECT ${storedColumns} FROM t_gift_record WHERE order_id IN (?)`, [orderIds]),
  );
}

/** The stored ones among the orders. The archive is asked last: a record that is moved in between is found there. */
async function findAnywhere(db: Queryable, orderIds: readonly string[]): Promise<Map<string, StoredRecord>> {
  const found = await findStored(db, orderIds);
  const ids = orderIds.filter((orderId) => !found.has(orderId));
  if (ids.length === 0) return found;
  const archived = toStored(
    await archivedByKey<StoredRow>(db, archivedRecords, storedColumns, [{ ...allIds, ids, isClosed: false }]),
  );
  return new Map([...found, ...archived]);
}

/**
 * Inserts all of the records, or none, and returns their ids in their order. Fails with a duplicate key where one
 * exists.
 */
async function insertNew(db: Queryable, records: readonly SettledRecord[]): Promise<string[]> {
  const { insertId } = await db.run(
    `INSERT INTO t_gift_record (order_id, user_id, object_id, room_id, gift_id, count, price, status, reason, income_points,
       content_hash, send_time, json) VALUES ?`,
    [
      records.map(({ gift, time, succeeded, reason, incomePoints }) => [
        gift.orderId,
        gift.senderId,
        gift.receiverId,
        gift.roomId,
        gift.giftId,
        gift.count,
        gift.price,
        succeeded ? 1 : 0,
        reason,
        incomePoints,
        gift.contentHash,
        time,
        gift.type === 0 ? null : JSON.stringify({ type: gift.type }),
      ]),
    ],
  );
  return idsOfInserted(db, BigInt(insertId), records);
}

/**
 * The ids of rows that one statement inserted, of which the first is known. The server gives them ascending ids in the
 * order of the rows, and nothing tells by which step (`auto_increment_increment`, which Galera sets by itself). So the
 * last row is looked up: where its id is as far away as there are rows, the ids between are all of these rows. Otherwise
 * the rows of the range are read; other sessions may have inserted between them.
 */
async function idsOfInserted(db: Queryable, first: bigint, records: readonly SettledRecord[]): Promise<string[]> {
  const orderIds = records.map(({ gift }) => gift.orderId);
  if (orderIds.length === 1) return [String(first)];
  const lastOrder = orderIds.at(-1) as string;
  const last = (await findStored(db, [lastOrder])).get(lastOrder)?.recordId;
  if (last === undefined) throw missingRecord(lastOrder);
  if (BigInt(last) === first + BigInt(orderIds.length - 1)) return orderIds.map((_, at) => String(first + BigInt(at)));
  const rows = await db.query<{ id: string; order_id: string }>(
    "SELECT id, order_id FROM t_gift_record WHERE id BETWEEN ? AND ?",
    [String(first), last],
  );
  const ids = new Map(rows.map(({ id, order_id }) => [order_id, String(id)]));
  return orderIds.map((orderId) => {
    const own = ids.get(orderId);
    if (own === undefined) throw missingRecord(orderId);
    return own;
  });
}

/** Behind a proxy another server may have answered, which does not have the row yet: the batch is tried again. */
function missingRecord(orderId: string): Error {
  return fail("unavailable", { orderId, cause: "a gift record that was written is not found" });
}
