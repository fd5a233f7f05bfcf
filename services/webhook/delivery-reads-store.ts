import { limits } from "../../config/limits.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import { type DeliveryState, stateOf, states } from "./delivery-state.ts";

/** SQL that reads deliveries; delivery-store.ts writes them. */

const waiting = `${states.queued}, ${states.due}`;

export interface DueDelivery {
  readonly id: string;
  readonly webhookId: string;
  /** The row of its message. */
  readonly message: string;
  readonly orderKey: string;
  /** So far. */
  readonly tries: number;
}

const dueColumns = "id, webhook_id, message_id, order_key, tries";

interface DueRow {
  id: string;
  webhook_id: string;
  message_id: string;
  order_key: string;
  tries: number;
}

function toDue({ id, webhook_id, message_id, order_key, tries }: DueRow): DueDelivery {
  return {
    id: String(id),
    webhookId: String(webhook_id),
    message: String(message_id),
    orderKey: order_key,
    tries: Number(tries),
  };
}

/** The deliveries of each subscription that are due, in the order of their times, as many as it wants. */
export async function dueOf(
  db: Queryable,
  wanted: readonly { readonly id: string; readonly most: number }[],
): Promise<DueDelivery[]> {
  if (wanted.length === 0) return [];
  const page = `(SELECT ${dueColumns} FROM t_webhook_delivery
    WHERE webhook_id = ? AND state = ${states.due} AND next_time <= UTC_TIMESTAMP(3) ORDER BY next_time, id LIMIT ?)`;
  const rows = await db.query<DueRow>(
    wanted.map(() => page).join(" UNION ALL "),
    wanted.flatMap(({ id, most }) => [id, most]),
  );
  return rows.map(toDue);
}

/** A room or user of an ordered subscription. */
export interface OrderKey {
  readonly webhookId: string;
  readonly orderKey: string;
}

/** The first queued delivery of each of these that has none due. */
export async function nextOf(db: Queryable, keys: readonly OrderKey[]): Promise<DueDelivery[]> {
  if (keys.length === 0) return [];
  const first = `(SELECT ${dueColumns} FROM t_webhook_delivery
    WHERE webhook_id = ? AND state = ${states.queued} AND order_key = ? AND NOT EXISTS (
      SELECT 1 FROM t_webhook_delivery AS d WHERE d.webhook_id = ? AND d.state = ${states.due} AND d.order_key = ?
    ) ORDER BY id LIMIT 1)`;
  const rows = await db.query<DueRow>(
    keys.map(() => first).join(" UNION ALL "),
    keys.flatMap(({ webhookId, orderKey }) => [webhookId, orderKey, webhookId, orderKey]),
  );
  return rows.map(toDue);
}

/** Of an ordered subscription: the first queued delivery of each room or user that has none due. */
export async function nextOfKeys(db: Queryable, webhookId: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT q.id FROM (
       SELECT order_key, MIN(id) AS id FROM t_webhook_delivery
       WHERE webhook_id = ? AND state = ${states.queued} GROUP BY order_key
     ) AS q
     WHERE NOT EXISTS (
       SELECT 1 FROM t_webhook_delivery AS d
       WHERE d.webhook_id = ? AND d.state = ${states.due} AND d.order_key = q.order_key
     ) ORDER BY q.id LIMIT ?`,
    [webhookId, webhookId, limits.webhook.keysPerLook],
  );
  return rows.map(({ id }) => String(id));
}

/** Deliveries that wait, and since when the oldest one is due, for each subscription that has any. */
export async function waitingOf(db: Queryable): Promise<Map<string, { waiting: number; dueSince: Date | null }>> {
  const rows = await db.query<{ webhook_id: string; waiting: string; due_since: Date | null }>(
    `SELECT webhook_id, COUNT(*) AS waiting,
       MIN(IF(state = ${states.due} AND next_time <= UTC_TIMESTAMP(3), next_time, NULL)) AS due_since
     FROM t_webhook_delivery WHERE state IN (${waiting}) AND webhook_id IN (SELECT id FROM t_webhook)
     GROUP BY webhook_id`,
  );
  return new Map(
    rows.map((row) => [String(row.webhook_id), { waiting: Number(row.waiting), dueSince: row.due_since }]),
  );
}

/** The oldest messages of which no delivery waits. */
export async function endedMessages(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT m.id FROM t_webhook_message AS m
     WHERE NOT EXISTS (SELECT 1 FROM t_webhook_delivery AS d WHERE d.message_id = m.id AND d.state IN (${waiting}))
     ORDER BY m.id LIMIT ?`,
    [limits.webhook.removedRows],
  );
  return rows.map(({ id }) => String(id));
}

export interface LoggedDelivery {
  readonly id: string;
  /** The row of its message: the position in the log. */
  readonly message: string;
  readonly messageId: string;
  readonly event: string;
  readonly state: DeliveryState;
  readonly time: Date;
  readonly tries: number;
  readonly nextTime: Date;
  readonly lastTime: Date | null;
  readonly durationMs: number | null;
  readonly httpStatus: number | null;
  readonly failure: string | null;
  readonly answer: string | null;
}

interface LogRow {
  id: string;
  message: string;
  message_id: string;
  event: string;
  state: number;
  create_time: Date;
  tries: number;
  next_time: Date;
  last_time: Date | null;
  duration_ms: number | null;
  http_status: number | null;
  failure: string | null;
  answer: string | null;
}

const numberOrNull = (value: number | null) => (value === null ? null : Number(value));

function toLogged(row: LogRow): LoggedDelivery {
  return {
    id: String(row.id),
    message: String(row.message),
    messageId: row.message_id,
    event: row.event,
    state: stateOf(Number(row.state)),
    time: row.create_time,
    tries: Number(row.tries),
    nextTime: row.next_time,
    lastTime: row.last_time,
    durationMs: numberOrNull(row.duration_ms),
    httpStatus: numberOrNull(row.http_status),
    failure: row.failure,
    answer: row.answer,
  };
}

interface LogPage {
  readonly webhookId: string;
  readonly among: readonly DeliveryState[] | undefined;
  readonly before: string | undefined;
  readonly limit: number;
}

/** The latest first. */
export async function logPage(db: Queryable, { webhookId, among, before, limit }: LogPage): Promise<LoggedDelivery[]> {
  const rows = await db.query<LogRow>(
    `SELECT d.id, d.message_id AS message, m.message_id, m.event, d.state, m.create_time, d.tries, d.next_time,
       d.last_time, d.duration_ms, d.http_status, d.failure, d.answer
     FROM t_webhook_delivery AS d JOIN t_webhook_message AS m ON m.id = d.message_id
     WHERE d.webhook_id = ? ${among ? "AND d.state IN (?)" : ""} ${before === undefined ? "" : "AND d.message_id < ?"}
     ORDER BY d.message_id DESC LIMIT ?`,
    [webhookId, ...(among ? [among.map((state) => states[state])] : []), ...(before ? [before] : []), limit],
  );
  return rows.map(toLogged);
}

export async function isDeliveryOf(db: Queryable, webhookId: string, id: string): Promise<boolean> {
  const sql = "SELECT id FROM t_webhook_delivery WHERE id = ? AND webhook_id = ?";
  return (await db.query(sql, [id, webhookId])).length === 1;
}

/** The deliveries of messages from `from` on and before `to` that have ended, the oldest first. */
export async function endedOf(
  db: Queryable,
  webhookId: string,
  { from, to, limit }: { from: string; to: string | undefined; limit: number },
): Promise<{ id: string; message: string }[]> {
  const rows = await db.query<{ id: string; message_id: string }>(
    `SELECT id, message_id FROM t_webhook_delivery
     WHERE webhook_id = ? AND message_id >= ? ${to === undefined ? "" : "AND message_id < ?"}
       AND state IN (${states.succeeded}, ${states.failed})
     ORDER BY message_id LIMIT ?`,
    [webhookId, from, ...(to === undefined ? [] : [to]), limit],
  );
  return rows.map(({ id, message_id }) => ({ id: String(id), message: String(message_id) }));
}
