import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import type { Database } from "../../../mixins/mysql/database.ts";
import type { Difference, DifferenceKind } from "../differences.ts";
import { archivedUntil, comparedWith, type Partners, tradesBook } from "./book-rows-store.ts";
import { bookCheck } from "./book-windows.ts";
import type { Check } from "./check.ts";
import { changedSinceOrDue } from "./day-parts.ts";
import { windowCheck } from "./windows-store.ts";

/** Credits, refunds and debts of the ledger against the payment service's orders, both ways. */

const orders = () => `${databaseName("payment")}.t_pay_order`;

interface MovedRow extends Record<"user_id" | "num", string> {
  kind: DifferenceKind;
  biz_id: string;
  ordered: string | null;
}

/**
 * Credits and refunds of the ledger: their orders are there, and paid or refunded. Those of the platform's orders are
 * compared with these (platform-orders-store.ts).
 */
export function creditsCheck(books: Database, everyRow: boolean): Check {
  return bookCheck(books, {
    ...{ name: "credits and refunds", book: tradesBook(), archived: everyRow ? "all" : "parts" },
    async find({ db, rows: trades }) {
      const rows = await db.query<MovedRow>(
        `SELECT CASE WHEN t.type = 1 THEN 'creditWithoutOrder' WHEN t.biz_id LIKE 'debt:%' THEN 'debtDiffers'
             ELSE 'refundWithoutOrder' END AS kind, t.biz_id, t.user_id, t.num,
           CONCAT('order: user ', o.user_id, ', ', o.coins, ' coins, status ', o.status) AS ordered
         FROM ${trades("biz_id, user_id, num, type, status")} t
         LEFT JOIN ${orders()} o ON o.order_id = IF(t.type = 1, t.biz_id, SUBSTRING(t.biz_id, LOCATE(':', t.biz_id) + 1))
         LEFT JOIN t_wallet_debt d ON t.type = 2 AND d.biz_id = t.biz_id
         WHERE t.type IN (1, 2)
           AND t.biz_id NOT LIKE 'platform:%' AND t.biz_id NOT LIKE 'debt:platform:%' AND (
           o.id IS NULL OR o.user_id <> t.user_id OR o.status NOT IN (2, 5)
           OR (t.type = 1 AND (o.coins <> t.num OR t.status <> 1))
           OR (t.type = 2 AND t.biz_id LIKE 'refund:%' AND o.status <> 5)
           OR (t.type = 2 AND t.biz_id LIKE 'debt:%' AND (d.num IS NULL OR d.num <> t.num)))
         LIMIT ?`,
        [limits.books.findingsPerPage],
      );
      return rows.map(({ kind, biz_id, user_id, num, ordered }): Difference => {
        const detail = `ledger: user ${user_id}, num ${num}; ${ordered ?? "there is no such order"}`;
        return { kind, subject: `order ${biz_id}`, detail };
      });
    },
  });
}

interface OrderRow extends Record<"user_id" | "coins" | "moved", string> {
  kind: DifferenceKind;
  order_id: string;
}

/**
 * Paid and refunded orders: their coins were credited, or taken back. Left out are those that are under way, and those
 * that wait for a person (t_pay_parked) or whose topic is not the wallet's. Of orders whose coins are archived a part is
 * compared each day, unless `everyRow`. `most`: how many differences of a page are looked for.
 */
export function ordersCheck(
  books: Database,
  underWayMs: number,
  everyRow: boolean,
  most: number = limits.books.findingsPerPage,
): Check {
  const payment = databaseName("payment");
  return windowCheck(books, {
    ...{ name: "orders", table: orders(), column: "create_time", againMs: limits.books.ordersAgainMs, rounds: false },
    find: (from, to) =>
      books.snapshot(async (db) => {
        const part = everyRow
          ? undefined
          : changedSinceOrDue("p", await archivedUntil(db, tradesBook()), "update_time");
        const compare = ({ source: trades, values, only }: Partners) =>
          db.query<OrderRow>(
            `SELECT IF(o.credit IS NULL, 'orderNotCredited', IF(o.refund IS NULL, 'refundUnrecorded', 'refundNotTaken')) AS kind,
               o.order_id, o.user_id, o.coins, CONCAT(COALESCE(o.credit, 0), ' credited, ', COALESCE(o.taken, 0), ' taken back') AS moved
             FROM (SELECT p.order_id, p.user_id, p.coins, p.status,
                 (SELECT t.num FROM ${trades} t WHERE t.biz_id = p.order_id AND t.type = 1 AND t.status = 1) AS credit,
                 (SELECT r.amount FROM ${payment}.t_pay_refund r WHERE r.order_id = p.order_id AND r.amount = p.amount) AS refund,
                 COALESCE((SELECT -t.num FROM ${trades} t
                   WHERE t.biz_id = CONCAT('refund:', p.order_id) AND t.status = 1), 0)
                 + COALESCE((SELECT d.num FROM t_wallet_debt d WHERE d.biz_id = CONCAT('refund:', p.order_id)), 0) AS taken
               FROM ${orders()} p JOIN ${payment}.t_pay_topic c ON c.biz_code = p.biz_code AND c.topic = 'pay.recharge'
               WHERE p.id > ? AND p.id <= ? ${only ? "AND p.order_id IN (?)" : ""} AND p.status IN (2, 5)
                 AND p.update_time < UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND ${part ? `AND ${part.sql}` : ""}
                 AND NOT EXISTS (SELECT 1 FROM ${payment}.t_pay_parked k WHERE k.order_id = p.order_id
                   AND k.reason IN ('topicMissing', 'creditHeld', 'neverCredited'))) o
             WHERE o.credit IS NULL OR (o.status = 5 AND (o.taken <> o.coins OR o.refund IS NULL)) LIMIT ?`,
            [
              ...[...values, ...values, from, to, ...(only ? [only] : []), underWayMs * 1_000],
              ...[...(part?.values ?? []), limits.books.pageRows],
            ],
          );
        const rows = await comparedWith<OrderRow>(db, {
          ...{
            book: tradesBook(),
            columns: "biz_id, type, status, num",
            compare,
            subjectOf: ({ order_id }) => order_id,
          },
          keysOf: ({ order_id }) => [order_id, `refund:${order_id}`],
          most,
        });
        return rows.map(({ kind, order_id, user_id, coins, moved }): Difference => {
          const detail = `order: user ${user_id}, ${coins} coins; ledger: ${moved}`;
          return { kind, subject: `order ${order_id}`, detail };
        });
      }),
  });
}
