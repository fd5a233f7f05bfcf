import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import type { Database, Queryable } from "../../../mixins/mysql/database.ts";
import type { Difference, DifferenceKind } from "../differences.ts";
import { archivedUntil, comparedWith, type Partners, tradesBook } from "./book-rows-store.ts";
import { bookCheck } from "./book-windows.ts";
import type { Check } from "./check.ts";
import { changedSinceOrDue } from "./day-parts.ts";
import { windowCheck } from "./windows-store.ts";

/**
 * The platform's orders (credits, adjustments, payouts) against the ledgers, both ways. The states of an order are in
 * services/platform/money/order-state.ts: 1 pending, 2 done, 3 refused.
 */

const orders = () => `${databaseName("platform")}.t_money_order`;
const states = () => `${databaseName("platform")}.t_money_state`;

interface MovedRow extends Record<"user_id" | "num", string> {
  kind: DifferenceKind;
  biz_id: string;
  ordered: string | null;
}

const toDifference = ({ kind, biz_id, user_id, num, ordered }: MovedRow): Difference => ({
  kind,
  subject: `order ${biz_id}`,
  detail: `ledger: user ${user_id}, num ${num}; ${ordered ?? "there is no such order"}`,
});

const ordered = "CONCAT('order: user ', o.user_id, ', amount ', o.amount, ', state ', s.state)";

/**
 * Credits and adjustments of the ledger, and debts that they paid off: the platform ordered them, of this user and amount,
 * and they are not of an order that is a proposal, was declined or has expired. Where ledgers are on several servers,
 * `carriedChecks` judges all postings that say they are of moves between them.
 */
export function orderedCoinsCheck(books: Database, everyRow: boolean, onSeveralServers: boolean): Check {
  return bookCheck(books, {
    ...{ name: "coins that the platform ordered", book: tradesBook(), archived: everyRow ? "all" : "parts" },
    async find({ db, rows: trades }) {
      const rows = await db.query<MovedRow>(
        `SELECT CASE WHEN t.type = 3 THEN 'adjustmentWithoutOrder' WHEN t.type = 2 THEN 'debtDiffers'
             ELSE 'creditWithoutOrder' END AS kind, t.biz_id, t.user_id, t.num, ${ordered} AS ordered
         FROM ${trades("biz_id, user_id, num, type, status")} t
         LEFT JOIN ${orders()} o ON o.biz_id = IF(t.type = 2, SUBSTRING(t.biz_id, 6), t.biz_id)
         LEFT JOIN ${states()} s ON s.order_id = o.id
         LEFT JOIN t_wallet_debt d ON t.type = 2 AND d.biz_id = t.biz_id
         WHERE ${onSeveralServers ? "t.biz_id NOT LIKE 'bucket-%' AND " : ""}(t.type = 3 OR (t.type <> 0 AND (t.biz_id LIKE 'platform:%' OR t.biz_id LIKE 'debt:platform:%')))
           AND (o.id IS NULL OR o.user_id <> t.user_id OR s.state IS NULL OR s.state NOT IN (1, IF(t.status = 1, 2, 3))
             OR IF(t.type = 2, o.kind NOT IN (0, 1) OR t.biz_id NOT LIKE 'debt:%' OR d.num IS NULL OR d.num <> t.num,
               o.amount <> t.num OR o.kind <> IF(t.type = 1, 0, 1)))
         LIMIT ?`,
        [limits.books.findingsPerPage],
      );
      return rows.map(toDifference);
    },
  });
}

/** Payouts: the platform ordered those that are not an operator's, whose ids begin with `payout:`. */
export function orderedPayoutsCheck(db: Queryable): Check {
  return windowCheck(db, {
    ...{ name: "payouts", table: "t_income_posting", column: "create_time", rounds: true },
    async find(from, to) {
      const rows = await db.query<MovedRow>(
        `SELECT 'payoutWithoutOrder' AS kind, p.biz_id, p.anchor_id AS user_id, p.points AS num, ${ordered} AS ordered
         FROM t_income_posting p
         LEFT JOIN ${orders()} o ON o.biz_id = p.biz_id AND o.kind = 2 LEFT JOIN ${states()} s ON s.order_id = o.id
         WHERE p.id > ? AND p.id <= ? AND p.kind = 3 AND p.biz_id NOT LIKE 'payout:%'
           AND (o.id IS NULL OR o.user_id <> p.anchor_id OR o.amount <> -p.points OR s.state IS NULL
             OR s.state NOT IN (1, IF(p.status = 1, 2, 3)))
         LIMIT ?`,
        [from, to, limits.books.findingsPerPage],
      );
      return rows.map(toDifference);
    },
  });
}

interface OrderRow extends Record<"biz_id" | "user_id" | "amount", string> {
  state: number | null;
  refusal: string | null;
}

/**
 * The platform's orders: what is done is in its ledger, what was refused for the balance is there as rejected, nothing is
 * pending for longer than `underWayMs`, and nothing is a proposal that was not written as one. Of orders whose coins are
 * archived a part is compared each day, unless `everyRow`. `most`: as of `ordersCheck`.
 */
export function platformOrdersCheck(
  books: Database,
  underWayMs: number,
  everyRow: boolean,
  most: number = limits.books.findingsPerPage,
): Check {
  return windowCheck(books, {
    ...{ name: "orders of the platform", table: orders(), column: "create_time", rounds: true },
    ...{ delayMs: underWayMs },
    find: (from, to) =>
      books.snapshot(async (db) => {
        const part = everyRow
          ? undefined
          : changedSinceOrDue("o", await archivedUntil(db, tradesBook()), "create_time");
        const compare = ({ source: trades, values, only }: Partners) =>
          db.query<OrderRow>(
            `SELECT o.biz_id, o.user_id, o.amount, s.state, s.refusal
             FROM ${orders()} o LEFT JOIN ${states()} s ON s.order_id = o.id
             LEFT JOIN ${trades} t ON o.kind <> 2 AND t.biz_id = o.biz_id AND t.user_id = o.user_id
               AND t.num = o.amount AND t.type = IF(o.kind = 0, 1, 3)
             LEFT JOIN t_income_posting p ON o.kind = 2 AND p.biz_id = o.biz_id AND p.anchor_id = o.user_id
               AND p.points = -o.amount AND p.kind = 3
             WHERE o.id > ? AND o.id <= ? ${only ? "AND o.biz_id IN (?)" : ""} ${part ? `AND ${part.sql}` : ""} AND (
               s.state IS NULL
               OR (s.state = 1 AND s.update_time < UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND)
               OR (s.state = 2 AND COALESCE(t.status, p.status, 0) <> 1)
               OR (s.state = 3 AND s.refusal = 'balanceShort' AND COALESCE(t.status, p.status, 1) <> 0)
               OR (s.state IN (0, 4, 5) AND o.proposed = 0))
             LIMIT ?`,
            [
              ...[...values, from, to, ...(only ? [only] : []), ...(part?.values ?? [])],
              ...[underWayMs * 1_000, limits.books.pageRows],
            ],
          );
        const rows = await comparedWith<OrderRow>(db, {
          ...{ book: tradesBook(), columns: "biz_id, user_id, num, type, status", compare, most },
          subjectOf: ({ biz_id }) => biz_id,
        });
        return rows.map(({ biz_id, user_id, amount, state, refusal }): Difference => {
          const detail = `order: user ${user_id}, amount ${amount}, state ${state ?? "missing"}${refusal ? `, ${refusal}` : ""}`;
          return { kind: "platformOrderDiffers", subject: `order ${biz_id}`, detail };
        });
      }),
  });
}
