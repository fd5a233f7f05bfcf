import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import type { Database, Queryable } from "../../../mixins/mysql/database.ts";
import type { Difference } from "../differences.ts";
import { comparedWith, type Partners, tradesBook } from "./book-rows-store.ts";
import type { Check } from "./check.ts";
import { windowCheck } from "./windows-store.ts";

/** Holds and releases against their gifts and refunds. */

interface PostingRow {
  biz_id: string;
  anchor_id: string;
  why: string;
}

const toDifference = ({ biz_id, anchor_id, why }: PostingRow): Difference => ({
  ...{ kind: "holdDiffers", subject: biz_id, detail: `anchor ${anchor_id}: ${why}` },
});

/**
 * Every valid hold is the sum of its gifts, of an order that is refunded, or a hold of free income, which has neither; every
 * release is the opposite of its hold.
 */
export function holdsCheck(db: Queryable): Check {
  return windowCheck(db, {
    ...{ name: "holds", table: "t_income_posting", column: "create_time", rounds: true },
    async find(from, to) {
      const rows = await db.query<PostingRow>(
        `SELECT h.biz_id, h.anchor_id, h.why FROM (
           SELECT p.biz_id, p.anchor_id, CASE
             WHEN i.user_id IS NULL THEN 'the anchor has no row of income'
             WHEN p.kind = 1 AND p.order_id IS NULL AND p.biz_id LIKE 'free-hold:%' THEN
               IF(EXISTS (SELECT 1 FROM t_income_hold_gift g WHERE g.hold_biz_id = p.biz_id), 'it has gifts', NULL)
             WHEN p.kind = 2 AND p.order_id IS NULL AND p.biz_id LIKE 'free-release:%' THEN
               IF(EXISTS (SELECT 1 FROM t_income_posting b WHERE b.biz_id = CONCAT('free-hold:', SUBSTRING(p.biz_id, 14))
                 AND b.kind = 1 AND b.status = 1 AND b.anchor_id = p.anchor_id AND b.points = -p.points), NULL, 'it has no hold of these points')
             WHEN p.kind IN (1, 2) AND o.id IS NULL THEN 'its order is not refunded'
             WHEN p.kind = 1 AND p.biz_id <> CONCAT('hold:', p.order_id, ':', p.anchor_id) THEN 'it has another id'
             WHEN p.kind = 1 AND -p.points <> COALESCE((SELECT SUM(g.points) FROM t_income_hold_gift g
               WHERE g.hold_biz_id = p.biz_id), 0) THEN 'it is not the sum of its gifts'
             WHEN p.kind = 2 AND NOT EXISTS (SELECT 1 FROM t_income_posting b
               WHERE b.biz_id = CONCAT('hold:', p.order_id, ':', p.anchor_id) AND b.points = -p.points)
               THEN 'it has no hold of these points'
             END AS why
           FROM t_income_posting p LEFT JOIN t_anchor_income i ON i.user_id = p.anchor_id
           LEFT JOIN ${databaseName("payment")}.t_pay_order o ON p.kind IN (1, 2) AND o.order_id = p.order_id AND o.status = 5
           WHERE p.id > ? AND p.id <= ? AND p.status = 1) h
         WHERE h.why IS NOT NULL LIMIT ?`,
        [from, to, limits.books.findingsPerPage],
      );
      return rows.map(toDifference);
    },
  });
}

interface HeldRow extends PostingRow {
  gift_biz_id: string;
}

/** Every part of a gift that is held has its hold, and is such a part of a gift of the payer to the anchor. */
export function heldGiftsCheck(books: Database): Check {
  return windowCheck(books, {
    ...{ name: "held gifts", table: "t_income_hold_gift", column: "create_time", rounds: true },
    find: (from, to) =>
      books.snapshot(async (db) => {
        const compare = ({ source: trades, values, only }: Partners) =>
          db.query<HeldRow>(
            `SELECT g.hold_biz_id AS biz_id, g.gift_biz_id, COALESCE(h.anchor_id, 0) AS anchor_id,
               CONCAT('gift order ', g.gift_biz_id, IF(h.id IS NULL, ' is held without a hold', ' is no such gift')) AS why
             FROM t_income_hold_gift g LEFT JOIN t_income_posting h ON h.biz_id = g.hold_biz_id AND h.kind = 1
             LEFT JOIN ${trades} t ON t.biz_id = g.gift_biz_id AND t.type = 0 AND t.status = 1
               AND t.counterparty_id = h.anchor_id
             WHERE g.id > ? AND g.id <= ? ${only ? "AND g.gift_biz_id IN (?)" : ""} AND (
               h.id IS NULL OR t.id IS NULL OR g.coins_from + g.coins > -t.num
               OR g.points <> g.coins * (t.counterparty_income_points DIV -t.num)) LIMIT ?`,
            [...values, from, to, ...(only ? [only] : []), limits.books.pageRows],
          );
        const rows = await comparedWith<HeldRow>(db, {
          ...{
            book: tradesBook(),
            columns: "id, biz_id, type, status, num, counterparty_id, counterparty_income_points",
          },
          ...{ compare, subjectOf: ({ gift_biz_id }) => gift_biz_id },
        });
        return rows.map(toDifference);
      }),
  });
}
