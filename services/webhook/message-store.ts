import { cutList } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import { isDuplicateKey, type Queryable, type Transaction } from "../../mixins/mysql/database.ts";
import type { EventCall } from "./event-calls.ts";

/** SQL of the bodies of calls, and of their bytes in all. */

/** Writes the row with the bytes, where there is none. */
export async function beginStore(db: Queryable): Promise<void> {
  if ((await db.query("SELECT id FROM t_webhook_store WHERE id = 1")).length > 0) return;
  try {
    await db.run("INSERT INTO t_webhook_store (id, bytes) VALUES (1, 0)");
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
  }
}

/**
 * The bytes of all bodies. Until the transaction ends no other one adds or removes any: so ids of messages and deliveries
 * are given in the order of commits.
 */
export async function lockStore(tx: Transaction): Promise<number> {
  const [row] = await tx.query<{ bytes: string }>("SELECT bytes FROM t_webhook_store WHERE id = 1 FOR UPDATE");
  if (!row) throw new Error("t_webhook_store has no row: it is written when a webhook node starts");
  return Number(row.bytes);
}

export async function storedBytes(db: Queryable): Promise<number> {
  const [row] = await db.query<{ bytes: string }>("SELECT bytes FROM t_webhook_store WHERE id = 1");
  return Number(row?.bytes ?? 0);
}

async function idsOf(tx: Queryable, messageIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await tx.query<{ id: string; message_id: string }>(
    "SELECT id, message_id FROM t_webhook_message WHERE message_id IN (?)",
    [messageIds],
  );
  return new Map(rows.map(({ id, message_id }) => [message_id, String(id)]));
}

/**
 * Stores those that are not there, in their order: a body never changes. The row of each by its message id. Under the
 * lock of `lockStore`.
 */
export async function addMessages(tx: Transaction, calls: readonly EventCall[]): Promise<Map<string, string>> {
  const known = await idsOf(
    tx,
    calls.map(({ messageId }) => messageId),
  );
  const added = calls.filter(({ messageId }) => !known.has(messageId));
  if (added.length === 0) return known;
  const { insertRows: count, insertBytes } = limits.webhook;
  const refuse = ({ messageId }: EventCall) => {
    throw new RangeError(`message ${messageId} is too large to be stored`);
  };
  for (const rows of cutList(added, { count, bytes: insertBytes, bytesOf: ({ bytes }) => bytes }, refuse))
    await tx.run(
      `INSERT INTO t_webhook_message (message_id, event, body, bytes, create_time)
       VALUES ${rows.map(() => "(?, ?, ?, ?, UTC_TIMESTAMP(3))").join(", ")}`,
      rows.flatMap(({ messageId, event, body, bytes }) => [messageId, event, body, bytes]),
    );
  const total = added.reduce((sum, { bytes }) => sum + bytes, 0);
  await tx.run("UPDATE t_webhook_store SET bytes = bytes + ? WHERE id = 1", [total]);
  const ids = await idsOf(
    tx,
    added.map(({ messageId }) => messageId),
  );
  return new Map([...known, ...ids]);
}

export interface Body {
  /** The header webhook-id. */
  readonly messageId: string;
  readonly body: string;
}

/** By the rows' ids. */
export async function bodiesOf(db: Queryable, ids: readonly string[]): Promise<Map<string, Body>> {
  const rows = await db.query<{ id: string; message_id: string; body: string }>(
    "SELECT id, message_id, body FROM t_webhook_message WHERE id IN (?)",
    [ids],
  );
  return new Map(rows.map(({ id, message_id: messageId, body }) => [String(id), { messageId, body }]));
}

/** The oldest messages that came in longer than `keptMs` ago. */
export async function oldMessages(db: Queryable, keptMs: number): Promise<string[]> {
  const { removedRows } = limits.webhook;
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM t_webhook_message WHERE create_time < UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND
     ORDER BY create_time LIMIT ?`,
    [keptMs * 1_000, removedRows],
  );
  return rows.map(({ id }) => String(id));
}

/** The first message that came in at a time or later; `undefined`: there is none yet. */
export async function firstMessageSince(db: Queryable, time: Date): Promise<string | undefined> {
  const [row] = await db.query<{ id: string }>(
    "SELECT id FROM t_webhook_message WHERE create_time >= ? ORDER BY create_time, id LIMIT 1",
    [time],
  );
  return row && String(row.id);
}

export async function timeOfMessage(db: Queryable, id: string): Promise<Date | undefined> {
  const [row] = await db.query<{ create_time: Date }>("SELECT create_time FROM t_webhook_message WHERE id = ?", [id]);
  return row?.create_time;
}

/** Removes those of these that have no delivery; returns how many. Under the lock of `lockStore`: none is added meanwhile. */
export async function removeMessages(tx: Transaction, ids: readonly string[]): Promise<number> {
  const rows = await tx.query<{ id: string; bytes: string }>(
    `SELECT m.id, m.bytes FROM t_webhook_message AS m
     WHERE m.id IN (?) AND NOT EXISTS (SELECT 1 FROM t_webhook_delivery AS d WHERE d.message_id = m.id)`,
    [ids],
  );
  if (rows.length === 0) return 0;
  await tx.run("DELETE FROM t_webhook_message WHERE id IN (?)", [rows.map(({ id }) => String(id))]);
  const bytes = rows.reduce((sum, row) => sum + Number(row.bytes), 0);
  await tx.run("UPDATE t_webhook_store SET bytes = bytes - ? WHERE id = 1", [bytes]);
  return rows.length;
}
