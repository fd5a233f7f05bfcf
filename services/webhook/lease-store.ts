import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";

/** SQL of the leases: which node makes the calls of a subscription. By the database's clock alone. */

/** A node that takes leases. */
interface Holder {
  /** Of one running process. */
  readonly holder: string;
  readonly ms: number;
}

export async function addLease(tx: Transaction, webhookId: string): Promise<void> {
  await tx.run("INSERT INTO t_webhook_lease (webhook_id, holder, until_time) VALUES (?, '', '2000-01-01')", [
    webhookId,
  ]);
}

/** Takes those that are free, and renews this node's. Returns the subscriptions that it holds of these. */
export async function takeLeases(db: Queryable, { holder, ms }: Holder, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  await db.run(
    `UPDATE t_webhook_lease SET holder = ?, until_time = UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND
     WHERE webhook_id IN (?) AND (holder = ? OR until_time <= UTC_TIMESTAMP(3))`,
    [holder, ms * 1_000, ids, holder],
  );
  return heldOf(db, holder, ids);
}

async function heldOf(db: Queryable, holder: string, ids: readonly string[], lock = ""): Promise<Set<string>> {
  const rows = await db.query<{ webhook_id: string }>(
    `SELECT webhook_id FROM t_webhook_lease
     WHERE webhook_id IN (?) AND holder = ? AND until_time > UTC_TIMESTAMP(3) ${lock}`,
    [ids, holder],
  );
  return new Set(rows.map(({ webhook_id }) => String(webhook_id)));
}

/** The subscriptions that the node holds of these; no other node can take them until the transaction ends. */
export async function fenceLeases(tx: Transaction, holder: string, ids: readonly string[]): Promise<Set<string>> {
  return heldOf(tx, holder, ids, "LOCK IN SHARE MODE");
}

/** Another node can take them at once. */
export async function freeLeases(db: Queryable, holder: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await db.run("UPDATE t_webhook_lease SET until_time = UTC_TIMESTAMP(3) WHERE webhook_id IN (?) AND holder = ?", [
    ...[ids, holder],
  ]);
}

export async function removeLease(tx: Transaction, webhookId: string): Promise<void> {
  await tx.run("DELETE FROM t_webhook_lease WHERE webhook_id = ?", [webhookId]);
}
