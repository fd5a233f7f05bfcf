import { limits } from "../../config/limits.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import { orderStatus } from "./order-state.ts";

/** The SQL of the orders that a key of PAY_KEYS is needed for. */

const { keyOrdersRead, keyOrdersShown } = limits.payment;
/** They may still be paid, credited or refunded. */
const open = [orderStatus.waiting, orderStatus.paying, orderStatus.paid];

/** The id up to which so many rows are read; `undefined` where fewer are left. */
async function endOfPart(db: Queryable, after: string): Promise<string | undefined> {
  const [row] = await db.query<{ id: string }>("SELECT id FROM t_pay_order WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?", [
    ...[after, keyOrdersRead - 1],
  ]);
  return row && String(row.id);
}

/**
 * See `payment.ordersOfKey`. There is no index on keys, which every order would pay for: the table is read by its primary
 * key, part by part.
 */
export async function ordersOfKey(
  db: Queryable,
  { keyName, cursor = "0" }: { keyName: string; cursor?: string | undefined },
): Promise<{ list: string[]; nextCursor: string | null }> {
  const end = await endOfPart(db, cursor);
  const mark = `${keyName}:`;
  const rows = await db.query<{ id: string; order_id: string }>(
    `SELECT id, order_id FROM t_pay_order WHERE id > ? ${end === undefined ? "" : "AND id <= ?"} AND status IN (?)
       AND (LEFT(terms_mac, ?) = ? OR LEFT(paid_mac, ?) = ?) ORDER BY id LIMIT ?`,
    [cursor, ...(end === undefined ? [] : [end]), open, mark.length, mark, mark.length, mark, keyOrdersShown],
  );
  const list = rows.map(({ order_id }) => order_id);
  return { list, nextCursor: rows.length === keyOrdersShown ? String(rows.at(-1)?.id) : (end ?? null) };
}
