import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import type { Database, Queryable } from "../../../mixins/mysql/database.ts";
import type { Difference } from "../differences.ts";
import { comparedWith, type Partners, rowsOfKeys, tradesBook } from "./book-rows-store.ts";
import type { Check } from "./check.ts";
import { inParts } from "./two-servers-store.ts";
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

interface JudgedRow extends Omit<PostingRow, "why"> {
  why: string | null;
  order_id: string | null;
  /** Whether an order must be refunded for it. */
  of_order: number;
}

const lacksIncome = "the anchor has no row of income";

/** The refunded ones among these orders of the payment service. */
async function refundedOrders(home: Queryable, orders: readonly string[]): Promise<Set<string>> {
  const rows = await inParts([...new Set(orders)], (part) =>
    home.query<{ order_id: string }>(
      `SELECT order_id FROM ${databaseName("payment")}.t_pay_order WHERE order_id IN (?) AND status = 5`,
      [part],
    ),
  );
  return new Set(rows.map(({ order_id }) => order_id));
}

/**
 * Every valid hold is the sum of its gifts, of an order that is refunded, or a hold of free income, which has neither; every
 * release is the opposite of its hold, and on its server. Orders are on the home server.
 */
export function holdsCheck(db: Queryable, home: Queryable = db): Check {
  return windowCheck(db, {
    ...{ name: "holds", table: "t_income_posting", column: "create_time", rounds: true },
    async find(from, to) {
      const rows = await db.query<JudgedRow>(
        `SELECT h.biz_id, h.anchor_id, h.order_id, h.of_order, h.why FROM (
           SELECT p.biz_id, p.anchor_id, p.order_id,
             IF(p.kind NOT IN (1, 2) OR (p.order_id IS NULL AND p.biz_id LIKE IF(p.kind = 1, 'free-hold:%', 'free-release:%')), 0, 1)
               AS of_order,
             CASE
             WHEN i.user_id IS NULL THEN '${lacksIncome}'
             WHEN p.kind = 1 AND p.order_id IS NULL AND p.biz_id LIKE 'free-hold:%' THEN
               IF(EXISTS (SELECT 1 FROM t_income_hold_gift g WHERE g.hold_biz_id = p.biz_id), 'it has gifts', NULL)
             WHEN p.kind = 2 AND p.order_id IS NULL AND p.biz_id LIKE 'free-release:%' THEN
               IF(EXISTS (SELECT 1 FROM t_income_posting b WHERE b.biz_id = CONCAT('free-hold:', SUBSTRING(p.biz_id, 14))
                 AND b.kind = 1 AND b.status = 1 AND b.anchor_id = p.anchor_id AND b.points = -p.points), NULL, 'it has no hold of these points')
             WHEN p.kind = 1 AND p.biz_id <> CONCAT('hold:', p.order_id, ':', p.anchor_id) THEN 'it has another id'
             WHEN p.kind = 1 AND -p.points <> COALESCE((SELECT SUM(g.points) FROM t_income_hold_gift g
               WHERE g.hold_biz_id = p.biz_id), 0) THEN 'it is not the sum of its gifts'
             WHEN p.kind = 2 AND NOT EXISTS (SELECT 1 FROM t_income_posting b
               WHERE b.biz_id = CONCAT('hold:', p.order_id, ':', p.anchor_id) AND b.points = -p.points)
               THEN 'it has no hold of these points'
             END AS why
           FROM t_income_posting p LEFT JOIN t_anchor_income i ON i.user_id = p.anchor_id
           WHERE p.id > ? AND p.id <= ? AND p.status = 1) h
         WHERE h.why IS NOT NULL OR h.of_order = 1 LIMIT ?`,
        [from, to, limits.books.pageRows],
      );
      const refunded = await refundedOrders(
        home,
        rows.flatMap(({ order_id }) => order_id ?? []),
      );
      return rows
        .flatMap((row): Difference[] => {
          const { order_id, of_order } = row;
          const lacksOrder = Number(of_order) === 1 && (order_id === null || !refunded.has(order_id));
          const why = row.why !== lacksIncome && lacksOrder ? "its order is not refunded" : row.why;
          return why === null ? [] : [toDifference({ ...row, why })];
        })
        .slice(0, limits.books.findingsPerPage);
    },
  });
}

interface HeldRow extends PostingRow {
  gift_biz_id: string;
}

interface PartRow extends Record<"biz_id" | "gift_biz_id" | "coins_from" | "coins" | "points", string> {
  /** Of its hold; `null` where there is none. */
  anchor_id: string | null;
}

interface GiftRow extends Record<"biz_id" | "num" | "counterparty_income_points", string> {
  type: number;
  status: number;
  counterparty_id: string | null;
}

/** Whether a part of a gift that is held is such a part of a gift to its anchor; as `heldGiftsCheck` has it. */
function isPartOf(part: PartRow, gift: GiftRow): boolean {
  const coins = -BigInt(gift.num);
  return (
    Number(gift.type) === 0 &&
    Number(gift.status) === 1 &&
    String(gift.counterparty_id) === String(part.anchor_id) &&
    BigInt(part.coins_from) + BigInt(part.coins) <= coins &&
    BigInt(part.points) === BigInt(part.coins) * (BigInt(gift.counterparty_income_points) / coins)
  );
}

/**
 * As `heldGiftsCheck` where ledgers are on several servers: a hold is on the anchor's server, and its gifts are on those of
 * the payer.
 */
export function heldGiftsOnServersCheck(books: Database, all: readonly Queryable[]): Check {
  return windowCheck(books, {
    ...{ name: "held gifts", table: "t_income_hold_gift", column: "create_time", rounds: true },
    async find(from, to) {
      const parts = await books.query<PartRow>(
        `SELECT g.hold_biz_id AS biz_id, g.gift_biz_id, g.coins_from, g.coins, g.points, h.anchor_id
         FROM t_income_hold_gift g LEFT JOIN t_income_posting h ON h.biz_id = g.hold_biz_id AND h.kind = 1
         WHERE g.id > ? AND g.id <= ? LIMIT ?`,
        [from, to, limits.books.pageRows],
      );
      const ids = [...new Set(parts.map(({ gift_biz_id }) => gift_biz_id))];
      const columns = "biz_id, num, type, status, counterparty_id, counterparty_income_points";
      const gifts = new Map<string, GiftRow[]>();
      for (const db of all)
        for (const row of await inParts(ids, (part) =>
          db.query<GiftRow>(`SELECT ${columns} FROM ${rowsOfKeys(tradesBook(), columns)} t`, [part, part]),
        ))
          gifts.set(row.biz_id, [...(gifts.get(row.biz_id) ?? []), row]);
      return parts
        .flatMap((part): Difference[] => {
          const isRight = gifts.get(part.gift_biz_id)?.some((one) => isPartOf(part, one));
          if (part.anchor_id !== null && isRight) return [];
          const what = part.anchor_id === null ? "is held without a hold" : "is no such gift";
          const why = `gift order ${part.gift_biz_id} ${what}`;
          return [toDifference({ biz_id: part.biz_id, anchor_id: part.anchor_id ?? "0", why })];
        })
        .slice(0, limits.books.findingsPerPage);
    },
  });
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
