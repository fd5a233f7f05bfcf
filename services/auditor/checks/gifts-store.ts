import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import type { Difference } from "../differences.ts";
import type { Check } from "./check.ts";
import { windowCheck } from "./windows-store.ts";

/** Gifts in the ledger against the gift records, both ways. A record is written after its charge is committed. */

interface GiftRow extends Record<"num" | "points" | "user_id", string> {
  biz_id: string;
  status: number;
  counterparty_id: string | null;
  recorded: string | null;
}

const ofLedger = ({ user_id, num, status, counterparty_id, points }: Omit<GiftRow, "recorded" | "biz_id">) =>
  `ledger: user ${user_id}, num ${num}, status ${status}, receiver ${counterparty_id}, ${points} points`;

/** Charged gifts without a record, once they are older than what may be under way; and records that differ. */
export function chargedGiftsCheck(db: Queryable, underWayMs: number): Check {
  return windowCheck(db, {
    ...{ name: "gifts of the ledger", table: "t_qiyu_currency_trade", column: "create_time" },
    ...{ delayMs: underWayMs, rounds: true },
    async find(from, to) {
      const rows = await db.query<GiftRow>(
        `SELECT t.biz_id, t.user_id, t.num, t.status, t.counterparty_id, t.counterparty_income_points AS points,
           CONCAT('record: user ', r.user_id, ', ', r.price, ' x ', r.count, ', status ', r.status, ', receiver ',
             r.object_id, ', ', r.income_points, ' points') AS recorded
         FROM t_qiyu_currency_trade t LEFT JOIN ${databaseName("gift")}.t_gift_record r ON r.order_id = t.biz_id
         WHERE t.id > ? AND t.id <= ? AND t.type = 0 AND (
           (r.id IS NULL AND t.create_time < UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND)
           OR r.user_id <> t.user_id OR r.object_id <> t.counterparty_id OR r.status <> t.status
           OR CAST(r.price AS DECIMAL(30)) * r.count <> -CAST(t.num AS DECIMAL(30))
           OR r.income_points <> t.counterparty_income_points)
         LIMIT ?`,
        [from, to, underWayMs * 1_000, limits.books.findingsPerPage],
      );
      return rows.map((row): Difference => {
        const subject = `gift order ${row.biz_id}`;
        if (row.recorded === null) return { kind: "giftNotRecorded", subject, detail: ofLedger(row) };
        return { kind: "giftDiffers", subject, detail: `${ofLedger(row)}; ${row.recorded}` };
      });
    },
  });
}

/** Records of gifts that succeeded without a valid row of the ledger, which may be another one's record twice. */
export function recordedGiftsCheck(db: Queryable): Check {
  const table = `${databaseName("gift")}.t_gift_record`;
  return windowCheck(db, {
    ...{ name: "gift records", table, column: "update_time", rounds: true },
    async find(from, to) {
      const rows = await db.query<{ order_id: string; user_id: string; price: string; count: number }>(
        `SELECT r.order_id, r.user_id, r.price, r.count FROM ${table} r
         LEFT JOIN t_qiyu_currency_trade t ON t.biz_id = r.order_id AND t.type = 0 AND t.status = 1
         WHERE r.id > ? AND r.id <= ? AND r.status = 1 AND t.id IS NULL LIMIT ?`,
        [from, to, limits.books.findingsPerPage],
      );
      return rows.map(({ order_id, user_id, price, count }): Difference => {
        const detail = `user ${user_id}, ${count} at ${price} coins`;
        return { kind: "giftWithoutCharge", subject: `gift order ${order_id}`, detail };
      });
    },
  });
}
