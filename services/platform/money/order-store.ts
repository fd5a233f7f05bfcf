import { limits } from "../../../config/limits.ts";
import { type Queryable, type Transaction, toSafeInteger } from "../../../mixins/mysql/database.ts";
import type { Sealing } from "../../../mixins/seals/seal-chains.ts";
import { sealedLedgers } from "../../book-seals.ts";
import type { PlatformOrderOutcome, PlatformRefusal } from "../../wallet/platform-orders.contract.ts";
import { bizIdOf, externalIdIn, type MoneyOrder, type NewOrder, orderKinds } from "./order.ts";
import { orderStates, stateOf, statesBefore } from "./order-state.ts";

/** SQL of orders to move money. */

interface OrderRow {
  readonly id: string;
  readonly biz_id: string;
  readonly kind: number;
  readonly user_id: string;
  readonly amount: string;
  readonly proposed: number;
  readonly key_id: string;
  readonly reason: string | null;
  /** As signed for the wallet; of a proposal that nobody approved, as signed for proposals. */
  readonly signed_order: string;
  readonly state: number;
  readonly refusal: string | null;
  readonly balance_after: string | null;
}

const columns = `o.id, o.biz_id, o.kind, o.user_id, o.amount, o.proposed, o.key_id, o.reason,
  COALESCE(s.signed_order, o.signed_order) AS signed_order, s.state, s.refusal, s.balance_after`;
const tables = "t_money_order o JOIN t_money_state s ON s.order_id = o.id";

function toOrder(row: OrderRow): MoneyOrder {
  const kind = orderKinds[Number(row.kind)];
  if (!kind) throw new RangeError(`no kind of an order: ${row.kind}`);
  return {
    ...{ id: String(row.id), kind, externalId: externalIdIn(kind, row.biz_id) },
    ...{ userId: String(row.user_id), amount: toSafeInteger(row.amount), proposed: Number(row.proposed) === 1 },
    ...{ keyId: row.key_id, reason: row.reason, signed: row.signed_order, state: stateOf(Number(row.state)) },
    refusal: row.refusal as PlatformRefusal | null,
    balanceAfter: row.balance_after === null ? null : toSafeInteger(row.balance_after),
  };
}

export async function findOrder(db: Queryable, bizId: string): Promise<MoneyOrder | undefined> {
  const [row] = await db.query<OrderRow>(`SELECT ${columns} FROM ${tables} WHERE o.biz_id = ?`, [bizId]);
  return row && toOrder(row);
}

/** An order, or an adjustment that is a proposal, by the number of its row. */
export async function orderById(db: Queryable, id: string): Promise<MoneyOrder | undefined> {
  const [row] = await db.query<OrderRow>(`SELECT ${columns} FROM ${tables} WHERE o.id = ?`, [id]);
  return row && toOrder(row);
}

/** Writes an order. Fails with a duplicate key where there is one with its business id. */
export async function insertOrder(
  tx: Transaction,
  order: NewOrder & { readonly signed: string; readonly proposed: boolean },
  sealing: Sealing,
): Promise<void> {
  const { kind, userId, amount, proposed, keyId, reason, signed } = order;
  const time = await sealing.time();
  const sealed = [bizIdOf(order), orderKinds.indexOf(kind), userId, amount, proposed ? 1 : 0, keyId];
  const { insertId } = await tx.run(
    `INSERT INTO t_money_order (biz_id, kind, user_id, amount, proposed, key_id, reason, signed_order, create_time)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [...sealed, reason, signed, time],
  );
  sealing.cover(sealedLedgers.moneyOrders, insertId, [sealed], 0n);
  await tx.run(
    `INSERT INTO t_money_state (order_id, state, expires_time, next_try_time, update_time)
     VALUES (?, ?, IF(?, UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND, NULL),
       IF(?, NULL, UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND), UTC_TIMESTAMP(3))`,
    [
      ...[insertId, proposed ? orderStates.proposed : orderStates.pending],
      ...[proposed, limits.platform.proposalMs * 1_000, proposed, limits.platform.firstTryAgainMs * 1_000],
    ],
  );
}

/** Stores the outcome of a pending order; one that has its outcome already stays as it is. */
export async function storeOutcome(db: Queryable, id: string, outcome: PlatformOrderOutcome): Promise<void> {
  const { status } = outcome;
  await db.run(
    `UPDATE t_money_state SET state = ?, refusal = ?, balance_after = ?, next_try_time = NULL,
       update_time = UTC_TIMESTAMP(3) WHERE order_id = ? AND state IN (?)`,
    [
      orderStates[status],
      status === "refused" ? outcome.reason : null,
      status === "done" ? outcome.balanceAfter : null,
      id,
      statesBefore(status),
    ],
  );
}

/** The pending orders that are due, longest due first. */
export async function dueOrders(db: Queryable): Promise<MoneyOrder[]> {
  const rows = await db.query<OrderRow>(
    `SELECT ${columns} FROM t_money_state s JOIN t_money_order o ON o.id = s.order_id
     WHERE s.state = ? AND s.next_try_time <= UTC_TIMESTAMP(3) ORDER BY s.next_try_time LIMIT ?`,
    [orderStates.pending, limits.platform.ordersPerRound],
  );
  return rows.map(toOrder);
}

/** Notes that pending orders are being tried: the next try is later each time, up to a bound. */
export async function postponeOrders(db: Queryable, ids: readonly string[]): Promise<void> {
  const { tryAgainMs, tryAgainMsMax } = limits.platform;
  await db.run(
    `UPDATE t_money_state SET tries = tries + 1, next_try_time =
       UTC_TIMESTAMP(3) + INTERVAL LEAST(? * POW(2, LEAST(tries, 20)), ?) MICROSECOND
     WHERE order_id IN (?) AND state = ?`,
    [tryAgainMs * 1_000, tryAgainMsMax * 1_000, ids, orderStates.pending],
  );
}

/** Ends proposals on which nobody decided in time; returns how many, at most `limits.platform.ordersPerRound`. */
export async function expireProposals(db: Queryable): Promise<number> {
  const { affectedRows } = await db.run(
    `UPDATE t_money_state SET state = ?, update_time = UTC_TIMESTAMP(3)
     WHERE state IN (?) AND expires_time <= UTC_TIMESTAMP(3) ORDER BY expires_time LIMIT ?`,
    [orderStates.expired, statesBefore("expired"), limits.platform.ordersPerRound],
  );
  return affectedRows;
}

export interface Decision {
  readonly to: "pending" | "declined";
  /** Of pending: the order as signed for the wallet. */
  readonly signed: string | null;
  readonly decidedBy: string;
  readonly reason: string | null;
}

/** Decides on a proposal that is open and has not expired; returns whether it did: of many at once one succeeds. */
export async function decideProposal(
  db: Queryable,
  id: string,
  { to, signed, decidedBy, reason }: Decision,
): Promise<boolean> {
  const { affectedRows } = await db.run(
    `UPDATE t_money_state SET state = ?, signed_order = ?, decided_by = ?, decision_reason = ?,
       decided_time = UTC_TIMESTAMP(3), next_try_time = IF(?, UTC_TIMESTAMP(3), NULL), update_time = UTC_TIMESTAMP(3)
     WHERE order_id = ? AND state IN (?) AND expires_time > UTC_TIMESTAMP(3)`,
    [orderStates[to], signed, decidedBy, reason, to === "pending", id, statesBefore(to)],
  );
  return affectedRows === 1;
}

/** Pending orders, counted up to `limits.metrics.countedRows`, how long the oldest has been pending, and open proposals likewise. */
export async function readOpenOrders(db: Queryable): Promise<{ pending: number; oldestMs: number; proposals: number }> {
  const count = (name: string) =>
    `(SELECT COUNT(*) FROM (SELECT 1 FROM t_money_state WHERE state = ? LIMIT ?) ${name}) AS ${name}`;
  const most = limits.metrics.countedRows;
  const [row] = await db.query<Record<"pending" | "proposals", string> & { oldest: string | null }>(
    `SELECT ${count("pending")}, ${count("proposals")},
       (SELECT TIMESTAMPDIFF(MICROSECOND, MIN(COALESCE(p.decided_time, o.create_time)), UTC_TIMESTAMP(3))
        FROM (SELECT order_id, decided_time FROM t_money_state WHERE state = ? LIMIT ?) p
        JOIN t_money_order o ON o.id = p.order_id) AS oldest`,
    [orderStates.pending, most, orderStates.proposed, most, orderStates.pending, most],
  );
  const oldestMs = Number(row?.oldest ?? 0) / 1_000;
  return { pending: Number(row?.pending ?? 0), oldestMs, proposals: Number(row?.proposals ?? 0) };
}

/** Removes what people typed about orders; it stands outside their seals. */
export async function eraseOrderReasons(db: Queryable, userId: string): Promise<void> {
  await db.run(
    `UPDATE t_money_state SET decision_reason = NULL WHERE decision_reason IS NOT NULL
       AND order_id IN (SELECT id FROM t_money_order WHERE user_id = ?)`,
    [userId],
  );
  await db.run("UPDATE t_money_order SET reason = NULL WHERE user_id = ? AND reason IS NOT NULL", [userId]);
}
