import { fittingPage } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import { archivedByKey } from "../../mixins/archive/archived-rows.ts";
import type { ArchiveFilters } from "../../mixins/archive/filters.ts";
import { firstOfBothSince } from "../../mixins/archive/first-of-both.ts";
import { byId, mergedPage, newestFirst, ofBoth } from "../../mixins/archive/merged-page.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import { toSafeInteger } from "../../mixins/mysql/database.ts";
import { archivedRecords } from "../archived-tables.ts";
import type { GiftRecord, RecordedGift, SettledPage } from "./gift.contract.ts";

/** The SQL that reads gift records, archived ones too, and the catalogue's checksum. */

/** Says where records may be archived. */
export type Archive = Pick<ArchiveFilters, "lookups">;

interface RecordRow {
  id: string;
  order_id: string;
  user_id: string;
  object_id: string;
  room_id: string;
  gift_id: string;
  count: number;
  price: string;
  status: number;
  reason: string | null;
  send_time: Date;
}

const recordColumns = "id, order_id, user_id, object_id, room_id, gift_id, count, price, status, reason, send_time";

function toRecord(row: RecordRow): GiftRecord {
  return {
    id: String(row.id),
    orderId: row.order_id,
    senderId: String(row.user_id),
    receiverId: String(row.object_id),
    roomId: toSafeInteger(row.room_id),
    giftId: toSafeInteger(row.gift_id),
    count: toSafeInteger(row.count),
    price: toSafeInteger(row.price),
    status: Number(row.status) === 1 ? "succeeded" : "failed",
    ...(row.reason ? { reason: row.reason } : {}),
    time: row.send_time.toISOString(),
  };
}

export async function findRecord(db: Queryable, archive: Archive, orderId: string): Promise<GiftRecord | undefined> {
  const [hot] = await db.query<RecordRow>(`SELECT ${recordColumns} FROM t_gift_record WHERE order_id = ?`, [orderId]);
  if (hot) return toRecord(hot);
  const [row] = await archivedByKey<RecordRow>(db, archivedRecords, recordColumns, archive.lookups([orderId]));
  return row && toRecord(row);
}

/** The content hashes of the settled ones among the orders. */
export async function findContentHashes(
  db: Queryable,
  archive: Archive,
  orderIds: readonly string[],
): Promise<Map<string, string>> {
  const columns = "order_id, content_hash";
  const hot = await db.query<HashRow>(`SELECT ${columns} FROM t_gift_record WHERE order_id IN (?)`, [orderIds]);
  const found = new Map(hot.map((row) => [row.order_id, row.content_hash]));
  const places = archive.lookups(orderIds.filter((orderId) => !found.has(orderId)));
  for (const row of await archivedByKey<HashRow>(db, archivedRecords, columns, places))
    found.set(row.order_id, row.content_hash);
  return found;
}

interface HashRow {
  order_id: string;
  content_hash: string;
}

export interface RecordsAsked {
  readonly userId: string;
  readonly direction: "sent" | "received";
  readonly roomId?: number | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** The cursor's record is on another server: its times, and an id beyond which nothing here is as old. */
export interface Elsewhere {
  readonly sent: Date;
  readonly settled: Date;
  readonly end: bigint;
}

/** A record of a page, with what it is joined by where records are on several servers. */
export interface ListedRecord {
  readonly record: GiftRecord;
  readonly settled: Date;
}

/**
 * A user's records after the cursor's, newest first, one more than asked for. Sent gifts are in the order in which they
 * were settled, which is that of their ids. Of received gifts only those that succeeded, and by their times, since their
 * index has these (totals-store.ts).
 */
export async function readRecords(
  db: Queryable,
  query: RecordsAsked & { readonly elsewhere?: Elsewhere | undefined },
): Promise<ListedRecord[]> {
  const { cursor, elsewhere } = query;
  const isSent = query.direction === "sent";
  const where = [isSent ? "user_id = ?" : "object_id = ? AND status = 1"];
  const values: unknown[] = [query.userId];
  if (query.roomId !== undefined) {
    where.push("room_id = ?");
    values.push(query.roomId);
  }
  if (cursor !== undefined && isSent && elsewhere) {
    where.push("id < ? AND update_time <= ? AND (update_time < ? OR id < ?)");
    values.push(String(elsewhere.end), elsewhere.settled, elsewhere.settled, cursor);
  } else if (cursor !== undefined && isSent) {
    where.push("id < ?");
    values.push(cursor);
  } else if (cursor !== undefined) {
    const at = elsewhere?.sent ?? (await timesOf(db, cursor))?.sent;
    if (!at) return [];
    where.push("send_time <= ? AND (send_time < ? OR id < ?)");
    values.push(at, at, cursor);
  }
  const most = query.limit + 1;
  const order = isSent ? "id DESC" : "send_time DESC, id DESC";
  const read = (table: string, also: readonly unknown[] = []) =>
    db.query<ListedRow>(
      `SELECT ${recordColumns}, update_time FROM ${table} WHERE ${where.join(" AND ")} ORDER BY ${order} LIMIT ?`,
      [...values, ...also, most],
    );
  const hot = await read(archivedRecords.table);
  const archived = await archivedPage(hot);
  const rows = mergedPage(hot, archived, isSent ? newestFirst : latestFirst, most);
  return rows.map((row) => ({ record: toRecord(row), settled: row.update_time }));

  /** A full page of sent gifts is newer than the archive. A received one may be settled later than others that are archived. */
  async function archivedPage(page: readonly ListedRow[]): Promise<ListedRow[]> {
    if (page.length < most) return read(archivedRecords.archive);
    if (isSent) return [];
    where.push("send_time >= ?");
    return read(archivedRecords.archive, [page.at(-1)?.send_time]);
  }
}

interface ListedRow extends RecordRow {
  update_time: Date;
}

/** By the times at which they were sent, the latest first. */
const latestFirst = (a: RecordRow, b: RecordRow) => b.send_time.getTime() - a.send_time.getTime() || newestFirst(a, b);

/** Whether a user has sent gifts, succeeded or failed. */
export async function hasSent(db: Queryable, userId: string): Promise<boolean> {
  const one = ofBoth(archivedRecords, (table) => `SELECT id FROM ${table} WHERE user_id = ? LIMIT 1`, [userId]);
  return (await db.query(one.sql, one.values)).length > 0;
}

/** When a record's gift was sent and settled. */
export async function timesOf(db: Queryable, recordId: string): Promise<{ sent: Date; settled: Date } | undefined> {
  const both = ofBoth(archivedRecords, (table) => `SELECT send_time, update_time FROM ${table} WHERE id = ?`, [
    recordId,
  ]);
  const [row] = await db.query<{ send_time: Date; update_time: Date }>(both.sql, both.values);
  return row && { sent: row.send_time, settled: row.update_time };
}

interface SettledRow extends Omit<RecordRow, "id"> {
  id: string;
  income: string;
  income_points: string;
  json: { type?: number } | string | null;
  svga_url: string | null;
}

function fromRow(row: SettledRow): RecordedGift {
  const { id: recordId, ...record } = toRecord(row);
  const { type = 0 } = (typeof row.json === "string" ? JSON.parse(row.json) : row.json) ?? {};
  return {
    ...record,
    recordId,
    status: Number(row.status) === 1 ? "succeeded" : "failed",
    income: toSafeInteger(row.income),
    incomePoints: toSafeInteger(row.income_points),
    type,
    url: row.svga_url ?? "",
  };
}

/** See `gift.settledSince`; `cursor` is the record id to continue from. */
export async function settledSince(
  db: Queryable,
  { since, until, cursor }: { since: Date; until?: string | undefined; cursor?: string | undefined },
): Promise<SettledPage> {
  const end = until ?? (await lastRecordId(db));
  const begin = cursor ?? String(await firstOfBothSince(db, archivedRecords, since));
  const columns = recordColumns.split(", ").map((column) => `r.${column}`);
  const most = limits.gift.settleBatch + 1;
  const read = (table: string) =>
    db.query<SettledRow>(
      `SELECT ${columns.join(", ")}, r.income, r.income_points, r.json, c.svga_url
       FROM ${table} r LEFT JOIN t_gift_config c ON c.gift_id = r.gift_id
       WHERE r.id >= ? AND r.id <= ? ORDER BY r.id LIMIT ?`,
      [begin, end, most],
    );
  const hot = await read(archivedRecords.table);
  const rows = mergedPage(hot, await read(archivedRecords.archive), byId, most);
  const gifts = fittingPage(rows.slice(0, limits.gift.settleBatch).map(fromRow), limits.bus.listBytes);
  return { gifts, nextCursor: rows.length > gifts.length ? String(rows[gifts.length]?.id) : null, until: end };
}

/** The effects of gifts by gift id, as the catalogue has them. */
export async function effectsOf(catalogue: Queryable, giftIds: readonly number[]): Promise<Map<number, string>> {
  if (giftIds.length === 0) return new Map();
  const rows = await catalogue.query<{ gift_id: string; svga_url: string | null }>(
    "SELECT gift_id, svga_url FROM t_gift_config WHERE gift_id IN (?)",
    [giftIds],
  );
  return new Map(rows.map((row) => [toSafeInteger(row.gift_id), row.svga_url ?? ""]));
}

async function lastRecordId(db: Queryable): Promise<string> {
  const [row] = await db.query<{ id: string | null }>("SELECT MAX(id) AS id FROM t_gift_record");
  return String(row?.id ?? 0);
}

/** A number that changes with any change of the catalogue, which has a few hundred rows at the most. */
export async function catalogueChecksum(db: Queryable): Promise<string> {
  const [row] = await db.query<{ checksum: string }>(
    `SELECT CONCAT(COUNT(*), ':', COALESCE(SUM(CRC32(CONCAT_WS('|', gift_id, price, gift_name, status, cover_img_url, svga_url))), 0)) AS checksum
     FROM t_gift_config`,
  );
  return row?.checksum ?? "";
}
