import { limits } from "../../config/limits.ts";
import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";
import type { DisabledReason, OrderBy } from "./webhook.contract.ts";

/** SQL of the subscriptions. */

export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly description: string;
  readonly events: readonly string[];
  readonly orderBy: OrderBy;
  readonly enabled: boolean;
  readonly disabledReason: DisabledReason | null;
  readonly disabledTime: Date | null;
  readonly failingSince: Date | null;
  /** Sealed, the newest first; the old one while it signs. */
  readonly secrets: readonly string[];
  /** Of the write that made it; see `NewWebhook`. */
  readonly writeContent: string | null;
  readonly rotationId: string | null;
  /** At most some seconds old. */
  readonly waiting: number;
  readonly dueSince: Date | null;
  readonly dropped: number;
  readonly droppedTime: Date | null;
  readonly createTime: Date;
}

interface Row {
  id: string;
  url: string;
  description: string;
  events: string;
  order_by: OrderBy;
  enabled: number;
  disabled_reason: DisabledReason | null;
  disabled_time: Date | null;
  failing_since: Date | null;
  secret: string;
  old_secret: string | null;
  write_content: string | null;
  rotation_id: string | null;
  waiting: number;
  due_since: Date | null;
  dropped: string;
  dropped_time: Date | null;
  create_time: Date;
}

const columns = `id, url, description, events, order_by, enabled, disabled_reason, disabled_time, failing_since, secret,
  IF(old_secret_until > UTC_TIMESTAMP(3), old_secret, NULL) AS old_secret, write_content, rotation_id, waiting,
  due_since, dropped, dropped_time, create_time`;

function toWebhook(row: Row): Webhook {
  return {
    id: String(row.id),
    url: row.url,
    description: row.description,
    events: JSON.parse(row.events) as string[],
    orderBy: row.order_by,
    enabled: Number(row.enabled) === 1,
    disabledReason: row.disabled_reason,
    disabledTime: row.disabled_time,
    failingSince: row.failing_since,
    secrets: row.old_secret === null ? [row.secret] : [row.secret, row.old_secret],
    writeContent: row.write_content,
    rotationId: row.rotation_id,
    waiting: Number(row.waiting),
    dueSince: row.due_since,
    dropped: Number(row.dropped),
    droppedTime: row.dropped_time,
    createTime: row.create_time,
  };
}

/** All subscriptions, `limits.webhook.subscriptions` at most, the oldest first. */
export async function allWebhooks(db: Queryable): Promise<Webhook[]> {
  const rows = await db.query<Row>(`SELECT ${columns} FROM t_webhook WHERE deleted_time IS NULL ORDER BY id`);
  return rows.map(toWebhook);
}

export async function findWebhook(db: Queryable, id: string): Promise<Webhook | undefined> {
  const [row] = await db.query<Row>(`SELECT ${columns} FROM t_webhook WHERE id = ? AND deleted_time IS NULL`, [id]);
  return row && toWebhook(row);
}

/** The row stays as it is until the transaction ends. */
export async function lockWebhook(tx: Transaction, id: string): Promise<Webhook | undefined> {
  const sql = `SELECT ${columns} FROM t_webhook WHERE id = ? AND deleted_time IS NULL FOR UPDATE`;
  const [row] = await tx.query<Row>(sql, [id]);
  return row && toWebhook(row);
}

/** The subscription that a write has made, also one that was deleted since. */
export async function webhookOfWrite(db: Queryable, writeId: string): Promise<Webhook | undefined> {
  const [row] = await db.query<Row>(`SELECT ${columns} FROM t_webhook WHERE write_id = ?`, [writeId]);
  return row && toWebhook(row);
}

export interface NewWebhook {
  readonly url: string;
  readonly description: string;
  readonly events: readonly string[];
  readonly orderBy: OrderBy;
  readonly writeId: string | null;
  /** Fingerprint of what the write asked for, hex. */
  readonly writeContent: string | null;
}

/** Without a secret, which is bound to the id: `setSecret` follows in the transaction. */
export async function insertWebhook(tx: Transaction, webhook: NewWebhook): Promise<string> {
  const { url, description, events, orderBy, writeId, writeContent } = webhook;
  const { insertId } = await tx.run(
    `INSERT INTO t_webhook (url, description, events, order_by, enabled, secret, write_id, write_content, create_time)
     VALUES (?, ?, ?, ?, 1, '', ?, ?, UTC_TIMESTAMP(3))`,
    [url, description, JSON.stringify(events), orderBy, writeId, writeContent],
  );
  return String(insertId);
}

export async function setSecret(tx: Transaction, id: string, sealed: string): Promise<void> {
  await tx.run("UPDATE t_webhook SET secret = ? WHERE id = ?", [sealed, id]);
}

/** The secret becomes the old one, which signs for `oldSecretMs` more. */
export async function rotateSecret(
  tx: Transaction,
  id: string,
  { sealed, writeId }: { sealed: string; writeId: string | null },
): Promise<void> {
  await tx.run(
    `UPDATE t_webhook SET old_secret = secret, old_secret_until = UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND,
     secret = ?, rotation_id = ? WHERE id = ?`,
    [limits.webhook.oldSecretMs * 1_000, sealed, writeId, id],
  );
}

export type WebhookChange = Omit<NewWebhook, "writeId" | "writeContent">;

export async function changeWebhook(tx: Transaction, id: string, change: WebhookChange): Promise<void> {
  const { url, description, events, orderBy } = change;
  await tx.run("UPDATE t_webhook SET url = ?, description = ?, events = ?, order_by = ? WHERE id = ?", [
    ...[url, description, JSON.stringify(events), orderBy, id],
  ]);
}

/** Starts it anew: its failures count from its next one on. */
export async function enable(tx: Transaction, id: string): Promise<void> {
  await tx.run(
    `UPDATE t_webhook SET enabled = 1, disabled_reason = NULL, disabled_time = NULL, failing_since = NULL
     WHERE id = ? AND enabled = 0`,
    [id],
  );
}

/** Returns whether it was on. */
export async function disable(tx: Transaction, id: string, reason: DisabledReason): Promise<boolean> {
  const { affectedRows } = await tx.run(
    `UPDATE t_webhook SET enabled = 0, disabled_reason = ?, disabled_time = UTC_TIMESTAMP(3)
     WHERE id = ? AND enabled = 1`,
    [reason, id],
  );
  return affectedRows === 1;
}

/** Switches it off where all calls have failed for `ms`. Returns whether it was on. */
export async function disableFailing(tx: Transaction, id: string, ms: number): Promise<boolean> {
  const { affectedRows } = await tx.run(
    `UPDATE t_webhook SET enabled = 0, disabled_reason = 'failing', disabled_time = UTC_TIMESTAMP(3)
     WHERE id = ? AND enabled = 1 AND failing_since <= UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND`,
    [id, ms * 1_000],
  );
  return affectedRows === 1;
}

/** A call failed, or succeeded. */
export async function noteFailing(tx: Transaction, id: string, isFailing: boolean): Promise<void> {
  await tx.run(
    isFailing
      ? "UPDATE t_webhook SET failing_since = UTC_TIMESTAMP(3) WHERE id = ? AND failing_since IS NULL"
      : "UPDATE t_webhook SET failing_since = NULL WHERE id = ? AND failing_since IS NOT NULL",
    [id],
  );
}

export async function noteDropped(tx: Transaction, id: string, deliveries: number): Promise<void> {
  await tx.run("UPDATE t_webhook SET dropped = dropped + ?, dropped_time = UTC_TIMESTAMP(3) WHERE id = ?", [
    ...[deliveries, id],
  ]);
}

export async function noteWaiting(db: Queryable, id: string, waiting: number, dueSince: Date | null): Promise<void> {
  await db.run("UPDATE t_webhook SET waiting = ?, due_since = ? WHERE id = ?", [waiting, dueSince, id]);
}

/** Returns whether it was there. Its other rows are removed by the maintenance. */
export async function markDeleted(tx: Transaction, id: string): Promise<boolean> {
  const { affectedRows } = await tx.run(
    "UPDATE t_webhook SET deleted_time = UTC_TIMESTAMP(3), enabled = 0 WHERE id = ? AND deleted_time IS NULL",
    [id],
  );
  return affectedRows === 1;
}

/** Deleted ones, `deletedPerRound` at most, that have deliveries, or were deleted so long ago that they go themselves. */
export async function removableWebhooks(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT w.id FROM t_webhook AS w
     WHERE w.deleted_time < UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND OR (w.deleted_time IS NOT NULL
       AND EXISTS (SELECT 1 FROM t_webhook_delivery AS d WHERE d.webhook_id = w.id))
     ORDER BY w.id LIMIT ?`,
    [limits.webhook.keptMs * 1_000, limits.webhook.deletedPerRound],
  );
  return rows.map(({ id }) => String(id));
}

/** Removes one that was deleted `keptMs` ago: until then a repeat of the call that made it finds it. */
export async function removeWebhook(tx: Transaction, id: string): Promise<boolean> {
  const { affectedRows } = await tx.run(
    "DELETE FROM t_webhook WHERE id = ? AND deleted_time < UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND",
    [id, limits.webhook.keptMs * 1_000],
  );
  return affectedRows === 1;
}
