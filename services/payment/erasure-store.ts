import { limits } from "../../config/limits.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import { eraseRefundReasonsOf, eraseWebhooks } from "./payment-store.ts";
import { eraseResolveReasons } from "./reconciliation/comparison-store.ts";
import { eraseRefundReasons } from "./refunds/refund-store.ts";

/** SQL of the erasure of a user. Orders, payments and refunds stay. */

/** Whether an order of the user is open, parked, or its money or coins are on their way. */
export async function hasOpenPayment(db: Queryable, userId: string): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 AS one FROM t_pay_order o WHERE o.user_id = ? AND (o.status IN (0, 1)
       OR EXISTS (SELECT 1 FROM t_pay_parked p WHERE p.order_id = o.order_id AND p.reason <> 'neverCredited')
       OR EXISTS (SELECT 1 FROM t_pay_refund r WHERE r.order_id = o.order_id AND r.state <> 'done')
       OR EXISTS (SELECT 1 FROM t_pay_message_watch w WHERE w.order_id = o.order_id)) LIMIT 1`,
    [userId],
  );
  return rows.length > 0;
}

/** The user's orders after an id, a page; `id` is that of the last one. */
async function ordersAfter(db: Queryable, userId: string, id: string): Promise<{ id: string; order_id: string }[]> {
  const rows = await db.query<{ id: string; order_id: string }>(
    "SELECT id, order_id FROM t_pay_order WHERE user_id = ? AND id > ? ORDER BY id LIMIT ?",
    [userId, id, limits.erasure.eraseRows],
  );
  return rows.map((row) => ({ ...row, id: String(row.id) }));
}

/**
 * Removes the bodies of webhooks about the user's orders, which may name the payer at the provider, the addresses they came
 * from, and what people wrote. Returns the ids of the orders.
 */
export async function eraseOrderTexts(db: Queryable, userId: string): Promise<Set<string>> {
  const all = new Set<string>();
  for (let after = "0"; ; ) {
    const orders = await ordersAfter(db, userId, after);
    const ids = orders.map(({ order_id }) => order_id);
    if (ids.length > 0) {
      await eraseWebhooks(db, ids);
      await eraseRefundReasonsOf(db, ids);
      await eraseRefundReasons(db, ids);
      await eraseResolveReasons(db, ids);
    }
    for (const id of ids) all.add(id);
    const last = orders.at(-1);
    if (!last || orders.length < limits.erasure.eraseRows) return all;
    after = last.id;
  }
}
