import { limits } from "../../config/limits.ts";
import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";
import { type DeliveryState, isWaiting, stateOf, states, statesBefore } from "./delivery-state.ts";

/** SQL that writes deliveries; delivery-reads-store.ts reads them. */

export interface NewDelivery {
  readonly webhookId: string;
  /** The row of its message. */
  readonly message: string;
  readonly orderKey: string;
  readonly state: DeliveryState;
}

/** Adds those that are not there, in their order. */
export async function addDeliveries(tx: Transaction, deliveries: readonly NewDelivery[]): Promise<void> {
  const { insertRows } = limits.webhook;
  for (let from = 0; from < deliveries.length; from += insertRows) {
    const rows = deliveries.slice(from, from + insertRows);
    const now = "UTC_TIMESTAMP(3)";
    await tx.run(
      `INSERT INTO t_webhook_delivery (webhook_id, message_id, order_key, state, tries, next_time, create_time)
       VALUES ${rows.map(() => `(?, ?, ?, ?, 0, ${now}, ${now})`).join(", ")}
       ON DUPLICATE KEY UPDATE tries = t_webhook_delivery.tries`,
      rows.flatMap(({ webhookId, message, orderKey, state }) => [webhookId, message, orderKey, states[state]]),
    );
  }
}

export interface SavedOutcome {
  readonly id: string;
  readonly state: "succeeded" | "failed" | "due";
  readonly tries: number;
  readonly pauseMs: number;
  readonly durationMs: number;
  readonly httpStatus: number | null;
  readonly failure: string | null;
  readonly answer: string;
}

/** Saves what came of tries. A delivery that is not due any more stays as it is. */
export async function saveOutcomes(tx: Transaction, outcomes: readonly SavedOutcome[]): Promise<void> {
  if (outcomes.length === 0) return;
  const row = `SELECT CAST(? AS UNSIGNED) AS id, ? AS state, ? AS tries, ? AS pause_us, ? AS duration_ms,
    ? AS http_status, ? AS failure, ? AS answer`;
  await tx.run(
    `UPDATE t_webhook_delivery AS d JOIN (${outcomes.map(() => row).join(" UNION ALL ")}) AS o ON o.id = d.id
     SET d.state = o.state, d.tries = o.tries, d.next_time = UTC_TIMESTAMP(3) + INTERVAL o.pause_us MICROSECOND,
       d.last_time = UTC_TIMESTAMP(3), d.duration_ms = o.duration_ms, d.http_status = o.http_status,
       d.failure = o.failure, d.answer = o.answer
     WHERE d.state IN (${statesBefore("succeeded").join(", ")})`,
    outcomes.flatMap(({ id, state, tries, pauseMs, durationMs, httpStatus, failure, answer }) => [
      ...[id, states[state], tries, pauseMs * 1_000, Math.round(durationMs), httpStatus, failure, answer],
    ]),
  );
}

/** Those of these that are queued become due. */
export async function promote(tx: Transaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.run(
    `UPDATE t_webhook_delivery SET state = ${states.due}, next_time = UTC_TIMESTAMP(3)
     WHERE id IN (?) AND state = ${states.queued}`,
    [ids],
  );
}

/** Of a subscription that is not ordered any more: returns how many became due, `removedRows` at most. */
export async function promoteAll(db: Queryable, webhookId: string): Promise<number> {
  const { affectedRows } = await db.run(
    `UPDATE t_webhook_delivery SET state = ${states.due}, next_time = UTC_TIMESTAMP(3)
     WHERE webhook_id = ? AND state = ${states.queued} LIMIT ?`,
    [webhookId, limits.webhook.removedRows],
  );
  return affectedRows;
}

/** Those of these that have ended are made again. Returns how many. */
export async function makeAgain(
  tx: Transaction,
  ids: readonly string[],
  { isOrdered }: { isOrdered: boolean },
): Promise<number> {
  const { affectedRows } = await tx.run(
    `UPDATE t_webhook_delivery
     SET state = IF(order_key <> '' AND ?, ${states.queued}, ${states.due}), tries = 0, next_time = UTC_TIMESTAMP(3)
     WHERE id IN (?) AND state IN (?)`,
    [isOrdered, ids, statesBefore("queued")],
  );
  return affectedRows;
}

export interface RemovedDeliveries {
  readonly removed: number;
  /** Those that waited, by subscription. */
  readonly dropped: ReadonlyMap<string, number>;
}

/** Removes deliveries of these messages in these states, `removedRows` at most. */
export async function removeOfMessages(
  tx: Transaction,
  messages: readonly string[],
  among: readonly DeliveryState[],
): Promise<RemovedDeliveries> {
  const rows = await tx.query<{ id: string; webhook_id: string; state: number }>(
    `SELECT id, webhook_id, state FROM t_webhook_delivery WHERE message_id IN (?) AND state IN (?) LIMIT ? FOR UPDATE`,
    [messages, among.map((state) => states[state]), limits.webhook.removedRows],
  );
  const dropped = new Map<string, number>();
  for (const { webhook_id, state } of rows)
    if (isWaiting(stateOf(Number(state)))) dropped.set(String(webhook_id), (dropped.get(String(webhook_id)) ?? 0) + 1);
  if (rows.length > 0)
    await tx.run("DELETE FROM t_webhook_delivery WHERE id IN (?)", [rows.map(({ id }) => String(id))]);
  return { removed: rows.length, dropped };
}

/** Removes `removedRows` at most; returns how many. */
export async function removeOfWebhook(db: Queryable, webhookId: string): Promise<number> {
  const { affectedRows } = await db.run("DELETE FROM t_webhook_delivery WHERE webhook_id = ? LIMIT ?", [
    ...[webhookId, limits.webhook.removedRows],
  ]);
  return affectedRows;
}
